//! The one way in which every endpoint asks whether a request is let in: looked up, decided, counted, slowed down and audited.
//! Nothing here knows HTTP.

pub mod audit;
pub mod checker;
pub mod throttle;
