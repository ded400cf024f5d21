//! Keyward gives machine identities a home in Kubernetes: service accounts with access keys that are limited
//! in number, always expire, can be switched off, and leave an audit trail.
//!
//! # The map
//! | module | what it is |
//! | --- | --- |
//! | [`api`] | the custom resources as users see them: types and CEL rules |
//! | [`domain`] | values and decisions, all of them pure functions |
//! | [`controller`] | the part that issues and polices keys |
//! | [`verifier`] | the part that answers whether a presented key is good, and records its use |
//! | [`kubectl`] | the plugin `kubectl keyward`, for people |
//! | [`runtime`] | what a process needs around its work |
//! | [`validate`] | the check of manifests without a cluster |
//!
//! # The way of a change
//! A watch event reaches the stores and queues those who read what has changed (`controller::watch`). For
//! each of them `controller::observe` gathers what the decision reads, `domain`'s `plan(observed, now)`
//! decides, and `controller::apply` carries the steps out: Secret, then status, with an Event and a line for
//! each audit entry. `controller::reconcile` folds what was done into what was observed. Nothing else changes
//! anything but the verifier's record of use.
//!
//! # The way of a request
//! `verifier::server` takes the connection and `verifier::http` reads the request, whichever endpoint it is
//! for. `verifier::check` looks the token's id up in `verifier::index`, which `verifier::feed` keeps in step
//! with the cluster, and `domain::verdict` decides. `check` also throttles, counts and audits, and leaves a
//! mark of the use with `verifier::usage`, which writes such marks later, off the request's way.

pub mod api;
pub mod controller;
pub mod domain;
#[cfg(test)]
mod fuzz;
pub mod kubectl;
pub mod runtime;
pub mod validate;
pub mod verifier;
