//! Completion for shells and for kubectl, with the names of the cluster's own objects. The command line to
//! complete is handed in: nothing here imports `cli` or `commands`.

mod candidates;
mod line;
mod names;
mod shells;
#[cfg(test)]
mod tests;

pub use candidates::{CandidatesArgs, candidates};
pub use shells::{CompletionArgs, answer_shells, script};
