//! The `OpenAPI` document, as a verifier serves it.

use keyward::verifier::http::openapi;

/// The document, indented.
pub(super) fn document() -> String {
    format!("{:#}\n", openapi::document())
}
