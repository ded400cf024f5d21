//! `metadata`, which all kinds of Kubernetes have in common and which CRDs therefore leave out.

mod check;
mod names;
mod schema;

pub(crate) use check::check;
pub use names::is_dns_name;
pub use schema::SCHEMA;
