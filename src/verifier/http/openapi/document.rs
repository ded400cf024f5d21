//! The `OpenAPI` document, made from the types that requests and answers are read into and written from.

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::verifier::http::identity::HEADERS;
use crate::verifier::http::openapi::auth;
use crate::verifier::http::openapi::parts::response;
use crate::verifier::http::problem::Problem;
use crate::verifier::http::token_review::{Review, Reviewed};
use crate::verifier::http::verify::{VerifyRequest, VerifyResponse};

const ABOUT_ALL: &str = "Says whether a presented access key is good, and for what. On the same port, gRPC clients find \
                         Envoy's `envoy.service.auth.v3.Authorization`. Every path answers 405 to a method that it does \
                         not have, and 431 to a head that is too long.";

/// The document.
pub fn document() -> Value {
    // OpenAPI 3.1 has the schemas of JSON Schema 2020-12, and keeps them elsewhere.
    let settings = || {
        SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
    };
    let mut read = settings().for_deserialize().into_generator();
    let mut written = settings().for_serialize().into_generator();
    let mut paths = auth::paths();
    paths.insert("/v1/verify".into(), verify(&mut read, &mut written));
    paths.insert("/tokenreview".into(), token_review(&mut read, &mut written));
    paths.insert("/openapi.json".into(), itself());
    let responses = responses(&mut written);
    let mut schemas = written.take_definitions(true);
    schemas.extend(read.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Keyward verifier",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT_ALL,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "parameters": auth::parameters(),
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "kw_<key id>_<secret>",
                    "description": "The access key as `Authorization: Bearer`.",
                },
                "apiKey": {
                    "type": "apiKey", "in": "header", "name": "X-API-Key",
                    "description": "The access key as it is. Exactly one credential may be sent.",
                },
            },
        },
    })
}

fn verify(read: &mut SchemaGenerator, written: &mut SchemaGenerator) -> Value {
    json!({"post": {
        "operationId": "verify",
        "summary": "Say whether a token is good, and for what",
        "description": "A token that is not good is an answer like any other: 200 with `valid` false.",
        "security": [],
        "requestBody": body::<VerifyRequest>(read),
        "responses": {
            "200": answer::<VerifyResponse>(written, "The verdict."),
            "400": response("BadRequest"),
            "405": response("BadMethod"),
            "408": response("TooSlow"),
            "413": response("TooLong"),
            "429": response("TooManyFailures"),
            "503": response("Unavailable"),
        },
    }})
}

fn token_review(read: &mut SchemaGenerator, written: &mut SchemaGenerator) -> Value {
    json!({"post": {
        "operationId": "tokenReview",
        "summary": "Answer a token review of the kube-apiserver",
        "description": "Webhook token authentication of Kubernetes, `authentication.k8s.io/v1` and `v1beta1`.",
        "security": [],
        "requestBody": body::<Review>(read),
        "responses": {
            "200": answer::<Reviewed>(written, "The review, with `status` filled in."),
            "400": response("BadRequest"),
            "405": response("BadMethod"),
            "408": response("TooSlow"),
            "413": response("TooLong"),
            "503": response("Unavailable"),
        },
    }})
}

fn itself() -> Value {
    json!({"get": {
        "operationId": "openapi",
        "summary": "This document",
        "security": [],
        "responses": {
            "200": {
                "description": "An OpenAPI 3.1 document.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "405": response("BadMethod"),
        },
    }})
}

fn body<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    json!({
        "required": true,
        "content": {"application/json": {"schema": generator.subschema_for::<T>()}},
    })
}

fn answer<T: JsonSchema>(generator: &mut SchemaGenerator, description: &str) -> Value {
    json!({
        "description": description,
        "content": {"application/json": {"schema": generator.subschema_for::<T>()}},
    })
}

/// What several paths answer.
fn responses(written: &mut SchemaGenerator) -> Value {
    let problem = written.subschema_for::<Problem>();
    let content = json!({"application/problem+json": {"schema": problem}});
    let header = |about: &str, always: bool| json!({"description": about, "required": always, "schema": {"type": "string"}});
    let refusal = |description: &str| json!({"description": description, "content": content});
    let with = |description: &str, name: &str, about: &str| {
        let headers = json!({name: header(about, true)});
        json!({"description": description, "headers": headers, "content": content})
    };
    let challenge = "What to send instead, and what was wrong (RFC 6750).";
    let later = "Seconds after which to ask again.";
    let identity: Map<String, Value> =
        HEADERS.iter().map(|one| (one.name.to_string(), header(one.about, true))).collect();
    json!({
        "Allowed": {
            "description": "The request may be let in. All of these headers are there, empty where they do not apply.",
            "headers": identity,
        },
        "Unauthorized": with("There is no credential, more than one, or one that is not good.", "WWW-Authenticate", challenge),
        "Forbidden": {
            "description": "The access key is good and does not reach this far. For nginx also in place of 429.",
            "headers": {"WWW-Authenticate": header("As with 401. Not there in place of 429.", false)},
            "content": content,
        },
        "BadRequest": refusal("The question cannot be meant; `detail` names the field."),
        "NotFound": refusal("There is nothing at this path."),
        "BadMethod": with("The path has another method.", "Allow", "The methods that there are."),
        "TooSlow": refusal("The body took too long."),
        "TooLong": refusal("The body is too long."),
        "TooManyFailures": with("Too many requests of this address failed.", "Retry-After", later),
        "Unavailable": with(
            "The verifier cannot tell at the moment; ask again, or another one.", "Retry-After", later,
        ),
    })
}
