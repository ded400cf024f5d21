//! The use of keys: marked while requests are answered, written to the cluster later, in batches. Nothing here is on a
//! request's way but the mark.

pub mod acts;
pub mod flush;
pub mod last_used;
pub mod recorded_since;
pub mod recorder;
