//! The only writer: carries out what was planned, step by step, and returns what it did. Nothing here
//! decides, reads the clock or knows what was observed beyond what a step needs.

pub(super) mod access_key;
pub(super) mod account;
mod applier;
mod objects;
mod publish;
mod published_secret;
mod resource_grant;
mod secret;
pub(super) mod service_account;
mod status_patch;

pub(super) use applier::Applier;
