//! Objects for the tests of this folder, as the API server gives them.

#![allow(clippy::needless_pass_by_value, reason = "callers write the values where they give them")]

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::{AccessKey, Account, ServiceAccount};

/// The time of all tests.
pub fn now() -> DateTime<Utc> {
    at("2026-11-23T12:00:00Z")
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn from_json<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn object<T: DeserializeOwned>(kind: &str, name: &str, spec: Value, status: Value) -> T {
    from_json(json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": kind, "spec": spec, "status": status,
        "metadata": {
            "name": name, "namespace": "shop", "uid": format!("uid-of-{name}"), "generation": 1, "resourceVersion": "7",
            "creationTimestamp": "2026-11-20T12:00:00Z",
        },
    }))
}

pub fn account(spec: Value, status: Value) -> Account {
    object("Account", "account", spec, status)
}

pub fn service_account(name: &str, spec: Value, status: Value) -> ServiceAccount {
    object("ServiceAccount", name, spec, status)
}

/// An access key of `ci-bot`, with more in its spec.
pub fn key(name: &str, mut spec: Value, status: Value) -> AccessKey {
    let more = spec.as_object_mut().unwrap();
    more.entry("serviceAccountName").or_insert(json!("ci-bot"));
    if !more.contains_key("expiresAt") {
        more.entry("validFor").or_insert(json!("P6M"));
    }
    object("AccessKey", name, spec, status)
}

/// The status of a key in that state with a token.
pub fn issued(state: &str, id: &str, expires_at: &str) -> Value {
    json!({
        "observedGeneration": 1, "state": state, "serviceAccountUID": "uid-of-ci-bot", "secretName": "deploy",
        "token": {
            "id": id, "sha256": "0", "revision": 1, "issuedAt": "2026-11-20T12:00:00Z", "expiresAt": expires_at,
        },
        "conditions": conditions("True", "Issued", &format!("Key {id} issued")),
    })
}

/// A Ready condition.
pub fn conditions(status: &str, reason: &str, message: &str) -> Value {
    json!([{
        "type": "Ready", "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "2026-11-20T12:00:00Z",
    }])
}

/// An audit entry.
pub fn entry(id: &str, time: &str, reason: &str, message: &str) -> Value {
    json!({
        "id": id, "time": time, "actor": "alice", "action": "x", "object": "ServiceAccount/ci-bot", "reason": reason,
        "message": message,
    })
}
