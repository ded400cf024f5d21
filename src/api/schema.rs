//! What is in a schema of a CRD.

pub use crd_check::schema::{field, item, map_value, of};
