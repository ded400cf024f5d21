//! The controller: the only part that changes the cluster.
//!
//! `feed` brings the cluster's objects into memory and says who is concerned by a change; for each of those, one pass
//! observes (`observe`, the only reader), plans (`domain`), and acts (`act`, the only writer).

mod access_key;
mod account;
mod act;
mod backoff;
mod feed;
mod gauges;
mod observe;
mod queue;
mod run;
mod service_account;
mod store;

pub use run::{Error, Options, run};

/// The name that the controller's fields carry in `managedFields`.
pub const FIELD_MANAGER: &str = "keyward-controller";
