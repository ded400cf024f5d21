//! One driver a kind, and the loop that they all go through. What is decided stands in `domain`, what is
//! written in `apply`.

pub(super) mod access_key;
pub(super) mod account;
pub(super) mod backoff;
pub(super) mod driver;
pub(super) mod loops;
pub(super) mod published_secret;
pub(super) mod resource_grant;
pub(super) mod service_account;
