//! The structural schema of a CRD: what is in it, and what of it an object breaks. Its CEL rules are in
//! [`crate::cel`].

pub(crate) mod defaults;
mod parts;
pub(crate) mod unknown_fields;
pub(crate) mod values;
pub(crate) mod walk;

pub use parts::{field, item, map_value, of};
