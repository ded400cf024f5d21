//! The only writer: carries out what was planned, and returns what it did. Nothing here decides or reads the clock.

pub(super) mod actor;
mod objects;
mod published;
pub(super) mod secrets;
