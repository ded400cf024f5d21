//! The check of manifests without a cluster: `keyward validate`. What holds for any kind is the crate
//! [`crd_check`].
//!
//! | module | what it is |
//! | --- | --- |
//! | [`command`], `files` | flags, files, exit codes: the only part that reads or writes |
//! | `documents`, [`manifest`] | which documents are Keyward's manifests, and of which objects |
//! | `checker` | each manifest by itself, then all together |
//! | [`set`] | all manifests together, by namespace |
//! | `rules` | what the controller would refuse, by the decisions of [`crate::domain`] |
//! | [`rule`], [`finding`] | the closed list of rules, and what breaks one where |
//! | [`report`] | findings as text, JSON, GitHub annotations and SARIF |
//!
//! [`Checker::check`] is a function of files, options and `now`: no clock, no file, no network.

mod checker;
pub mod command;
mod documents;
mod files;
pub mod finding;
pub mod manifest;
mod options;
pub mod report;
pub mod rule;
mod rules;
pub mod set;
mod tokens;

pub use checker::{Checker, Error};
pub use files::File;
pub use options::{Options, References};

#[cfg(test)]
mod tests;
