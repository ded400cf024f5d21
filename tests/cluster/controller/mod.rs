//! The controller as a process: killed, stopped, without rights, with another beside it, and at rest.

mod crash;
mod lease;
mod process;
mod refused;
mod removal;
mod settled;
