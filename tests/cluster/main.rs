//! Keyward against a real API server: every test in a namespace of its own, with a controller of its own that
//! runs under exactly the chart's RBAC rules. `make test` starts the control plane.

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

mod accounts;
mod admission;
mod bad_input;
mod chart;
mod controller;
mod docs;
mod examples;
mod gateways;
mod gitops;
mod keys;
mod plugin;
mod reference;
mod schema;
mod validate;
mod verifier;
