//! `keyward verifier`: says whether a presented key is good and for what, out of memory, and records who used
//! it.
//!
//! `feed` keeps the `index` in step with the cluster, and `freshness` says how far that can be relied on. A
//! request comes in through `server`, goes to its endpoint in `http`, and from there to `check`, which has
//! `domain::verdict` decide, throttles, counts, audits, and leaves a mark of the use with `usage`, which
//! writes it later. Nothing on a request's way calls the API server, and nothing here changes a spec, reads a
//! condition or issues a token.

pub mod check;
pub mod feed;
pub mod freshness;
pub mod http;
pub mod index;
pub mod metrics;
mod run;
pub mod tls;
mod trust;
pub mod usage;

pub use run::{Error, run};
