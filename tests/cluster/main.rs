//! Keyward against a real API server: every test in a namespace of its own, with a controller of its own that runs
//! under exactly the chart's RBAC rules. `make test` starts the control plane.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::default_trait_access,
    clippy::large_futures,
    reason = "a test fails by panicking, and its cases stand in one place"
)]

mod support;

mod account;
mod admins;
mod admission;
mod bad_input;
mod chart;
mod crash;
mod docs;
mod examples;
mod gitops;
mod grants;
mod issue;
mod lease;
mod limits;
mod plugin;
mod process;
mod publish;
mod reference;
mod removal;
mod repair;
mod restore;
mod rotation;
mod schema;
mod settled;
mod switch;
mod unused;
mod validate;
mod verifier;
