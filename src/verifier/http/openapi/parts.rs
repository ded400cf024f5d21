//! References between the parts of the document.

use serde_json::{Value, json};

/// One of the responses that several paths have.
pub(super) fn response(name: &str) -> Value {
    json!({"$ref": format!("#/components/responses/{name}")})
}
