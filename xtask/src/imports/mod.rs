//! Finds circles of imports between the files of the workspace. Only what stands in the source counts: paths
//! that begin with `crate`, `super`, `self` or a module's name, in `use`, in code, in macros and in
//! attributes. A path counts for the file that defines what it names, however it is re-exported on the way.
//!
//! Two kinds of files may look at anything: those that only declare modules and re-export (facades), and unit
//! tests.

mod check;
mod circle;
mod error;
mod facade;
mod read;
mod resolve;
mod syntax;
mod tree;
mod workspace;

#[cfg(test)]
mod tests;

pub use check::circles;
pub use circle::{Circle, Edge};
pub use error::Error;
