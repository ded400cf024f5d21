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

use super::support::{Controller, Flags, Proxy, Scene, Verifier, eventually, run, text};
