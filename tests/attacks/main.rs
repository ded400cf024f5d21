//! Attacks on the real programs, on the real API server under the chart's rules: one file an attacker. Each
//! runs for a few seconds and shows what must hold meanwhile and afterwards; `make attacks` runs each for a
//! minute, measures, and holds the figures against their bars.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_futures,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, unused_imports, clippy::large_futures, reason = "the tests of the cluster use the rest")]
#[path = "../cluster/support/mod.rs"]
mod support;

#[path = "../own_cluster/mod.rs"]
mod own_cluster;

mod attack;
mod cgroup;
mod figures;
mod probe;
mod target;
mod trial;

mod admin_of_one_service_account;
mod creator_of_secrets;
mod editor_of_another_namespace;
mod holder_of_a_good_key;
mod stranger_on_the_network;
mod super_admin_without_delete;
mod verifier_taken_over;
mod writer_of_status;
