//! What the tests stand on: a namespace, the controllers in it, kubectl, and waiting for something to become
//! true.

mod command;
mod controller;
pub mod guard;
pub mod http;
pub mod identity;
mod install;
mod objects;
pub mod policies;
mod program;
mod proxy;
pub mod refusal;
mod scene;
pub mod verifier;
mod wait;

pub use command::{dev_dir, run, run_with, text};
pub use controller::{Controller, Flags};
pub use keyward_dev::{PATIENCE, TIMEOUT};
pub use objects::{condition_states, from_json, key_reason, message, ready_reason, token_of};
pub use proxy::{Fault, Proxy};
pub use scene::Scene;
pub use verifier::Verifier;
pub use wait::eventually;
