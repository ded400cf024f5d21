//! The controller: the only part that changes the cluster.
//!
//! `feed` brings the cluster's objects into memory and `concerned` says whom a change concerns; for each of those, one pass
//! observes (`observe`, the only reader), plans (`domain`), and acts (`act`, the only writer).

mod access_key;
mod account;
mod act;
mod backoff;
mod concerned;
mod feed;
mod gauges;
mod objects;
mod observe;
mod orphan;
mod published;
mod queue;
mod resource_grant;
mod run;
mod secrets;
mod service_account;
mod store;

pub use gauges::at_rest;
pub use run::{Error, Options, run};

/// The name that the controller's fields carry in `managedFields`.
pub const FIELD_MANAGER: &str = "keyward-controller";
