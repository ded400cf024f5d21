//! `keyward verifier`: says whether a presented key is good and for what, out of memory, and records who used it.

pub mod check;
pub mod contact;
pub mod feed;
pub mod flush;
pub mod index;
pub mod journal;
pub mod metrics;
pub mod recorder;
