//! The use of keys: marked by `recorder` while requests are answered, written to the cluster later, in
//! batches, by `flush`. Nothing here is on a request's way but the mark, and no token comes in.

pub mod flush;
pub mod recorder;

mod acts;
mod last_used;
pub(in crate::verifier) mod pending;
mod recorded_since;
mod writer;
