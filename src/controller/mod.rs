//! The controller: the only part that changes the cluster.
//!
//! ```text
//! watch ──► reconcile ──► observe ──► domain::plan ──► apply ──► outcome
//! (stores,   (one driver    (the only                   (the only    │
//!  triggers)  for all kinds)  reader)                    writer)     ▼
//!                 ▲                                        folded into what was observed
//!                 └───────────────────────────────────────────┘
//! ```
//!
//! What is decided stands in `domain`. Nothing else writes to the cluster, but for the verifier's record of
//! use.

mod apply;
mod certificate;
mod error;
mod field_manager;
mod metrics;
mod observe;
mod reconcile;
mod run;
mod sealing;
mod secrets;
mod watch;

pub use field_manager::FIELD_MANAGER;
pub use metrics::at_rest;
pub use run::{Error, Options, run};
