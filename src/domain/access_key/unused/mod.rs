//! Access keys that nobody uses: the account's policy, and what it means for one key.

pub mod policy;
pub(super) mod usage;
