//! Access keys that nobody uses: when a key counts as one, and what is recorded and said of it.

pub(super) mod state;
pub(super) mod usage;
