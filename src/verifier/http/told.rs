//! What clients are told, for the reference pages.

use crate::domain::verdict::Cause;
use crate::verifier::http::answer::{ABOUT, IDENTITY};
use crate::verifier::http::problem::{code, status};
use crate::verifier::http::profile::Profile;

/// The identity headers with what they say.
pub fn identity() -> impl Iterator<Item = (String, &'static str)> {
    IDENTITY.into_iter().map(|name| name.as_str().to_owned()).zip(ABOUT)
}

/// Status and code of a refusal.
pub fn refusal(cause: Cause) -> (u16, &'static str) {
    (status(cause.class(), Profile::Plain).as_u16(), code(cause.class()))
}
