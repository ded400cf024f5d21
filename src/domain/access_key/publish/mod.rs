//! Published Secrets, which gateways read themselves: which ones a key should have, and when they are
//! written. No key's own Secret, and no client.

pub mod allowed;
pub mod orphan;
pub mod secrets;
pub(super) mod step;
