//! The audit trail as values: entries, the bounded logs in status, and where each reason is met.
//! Writing them anywhere is not done here.

pub mod acting;
pub mod catalog;
pub mod entry;
pub mod log;

pub use entry::{CONTROLLER, Happening, Target, UNKNOWN, VERIFIER, id, is_new, is_user, user};
pub use log::{KEY_LOG, PARENT_LOG, absorb, merge, since};
