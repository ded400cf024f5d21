//! The `OpenAPI` document, made from the types that `/v1/verify` reads and writes.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::problem::Problem;
use super::verify::{VerifyRequest, VerifyResponse};

/// The document.
pub fn document() -> Value {
    let mut generator = SchemaSettings::openapi3().into_generator();
    let request = generator.subschema_for::<VerifyRequest>();
    let response = generator.subschema_for::<VerifyResponse>();
    let problem = generator.subschema_for::<Problem>();
    let schemas = generator.take_definitions(true);
    let refusal = |description: &str| json!({"description": description, "content": {"application/problem+json": {"schema": problem}}});
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Keyward verifier",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Says whether a presented access key is good, and for what.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {"/v1/verify": {"post": {
            "operationId": "verify",
            "summary": "Say whether a token is good, and for what",
            "description": "A token that is not good is an answer like any other: 200 with `valid: false`.",
            "requestBody": {"required": true, "content": {"application/json": {"schema": request}}},
            "responses": {
                "200": {"description": "The verdict", "content": {"application/json": {"schema": response}}},
                "400": refusal("The question cannot be meant; `detail` names the field"),
                "408": refusal("The body took too long"),
                "413": refusal("The body is too long"),
                "429": refusal("Too many tokens from this address were not good"),
                "503": refusal("The verifier cannot tell at the moment; ask again, or another one"),
            },
        }}},
        "components": {"schemas": schemas},
    })
}
