//! The one way from a request to its outcome: whichever endpoint it came in by, it is decided, throttled,
//! counted, audited and recorded alike. No HTTP comes in: endpoints make a [`request::Request`] of what they
//! read, and an answer of what [`checker::Checker::check`] gives.

pub mod audit;
pub mod checker;
pub mod client;
pub mod endpoint;
pub mod outcome;
pub mod request;
pub mod throttle;

#[cfg(test)]
pub(in crate::verifier) mod tests;
