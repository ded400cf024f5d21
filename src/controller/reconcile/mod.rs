//! One pass over an object of each kind: observe, plan, apply.

pub(super) mod access_key;
pub(super) mod account;
pub(super) mod backoff;
pub(super) mod orphan;
pub(super) mod resource_grant;
pub(super) mod service_account;
