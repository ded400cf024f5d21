//! The CEL rules of a schema.

mod map;
mod rules;
mod value;

pub use rules::{Error, Rules};
