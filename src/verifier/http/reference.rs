//! What clients are answered, for the reference pages.

use crate::domain::verdict::Cause;
use crate::verifier::http::identity::HEADERS;
use crate::verifier::http::problem::{code, status};
use crate::verifier::http::profile::Profile;

/// The identity headers with what they say.
pub fn identity() -> impl Iterator<Item = (&'static str, &'static str)> {
    HEADERS.iter().map(|header| (header.name.as_str(), header.about))
}

/// Status and code of a refusal.
pub fn refusal(cause: Cause) -> (u16, &'static str) {
    (status(cause.class(), Profile::Plain).as_u16(), code(cause.class()))
}
