//! The controller: the only part that changes the cluster.
//!
//! `feed` brings the cluster's objects into memory and `concerned` says whom a change concerns; for each of those, one pass
//! observes (`observe`, the only reader), plans (`domain`), and acts (`act`, the only writer).

mod apply;
mod metrics;
mod observe;
mod reconcile;
mod run;
mod watch;

pub use metrics::at_rest;
pub use run::{Error, Options, run};

/// The name that the controller's fields carry in `managedFields`.
pub const FIELD_MANAGER: &str = "keyward-controller";
