//! What deployment tools count on.

mod agreement;
mod argo;
mod checker;
mod customizations;
mod helm;
mod recorded;
mod same;
mod situations;
mod states;
mod wait;

use super::support::{Controller, Flags, PATIENCE, Proxy, Scene, TIMEOUT, Verifier, eventually, run, text};
