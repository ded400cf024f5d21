//! Checks manifests of any `CustomResourceDefinition` without a cluster: what the API server would refuse,
//! and where in the file the mistake is. It knows no kind by name. Which files are read and how a mistake is
//! shown is up to the caller.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`yaml`] | reads a text as documents, as kubectl does, with the position of everything in them |
//! | [`node`], [`path`] | a value with its positions, and the path of a field |
//! | [`schema`] | unknown fields, defaults, types and bounds of a structural schema |
//! | [`metadata`] | what all kinds of Kubernetes have in common |
//! | [`cel`] | `x-kubernetes-validations` |
//! | [`suggest`] | "did you mean" |
//!
//! [`SchemaChecker`] puts these together. Nothing here reads a clock, a file or the network.

pub mod cel;
mod check;
pub mod metadata;
pub mod node;
pub mod path;
pub mod schema;
pub mod suggest;
mod times;
mod violation;
pub mod yaml;

pub use check::{Checked, SchemaChecker};
pub use violation::{Rule, Violation};
