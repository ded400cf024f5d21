//! `keyward verifier`: says whether a presented key is good and for what, out of memory, and records who used it.
//!
//! `feed` keeps the `index` in step with the cluster and `contact` tells how fresh it is. A request comes in through
//! `server` and `http`, `check` asks `domain::verdict` about it, `journal` tells it, and `recorder` remembers the use
//! until `flush` writes it. Nothing on a request's way calls the API server.

pub mod check;
pub mod feed;
pub mod freshness;
pub mod http;
pub mod index;
pub mod metrics;
mod run;
pub mod server;
pub mod tls;
pub mod usage;

pub use run::{Error, run};
