//! Keys that are made up, the same in every process: the n-th token, and the objects that it belongs to as
//! the API server would give them.

use keyward::api::access_key::AccessKeyStatus;
use keyward::api::{ResourceGrant, ServiceAccount};
use keyward::domain::access_key::record::Record;
use keyward::domain::value::digest::sha256;
use keyward::domain::value::seal::{SEED_BYTES, SigningKey};
use keyward::domain::value::token::{RANDOM_BYTES, Token};
use keyward::runtime::sealing::Published;
use serde_json::{Value, json};

use crate::support::Failure;

const KEYS_PER_SERVICE_ACCOUNT: usize = 100;
const SERVICE_ACCOUNTS_PER_ACCOUNT: usize = 25;
const AT: &str = "2026-01-01T00:00:00Z";
const EXPIRES_AT: &str = "2099-01-01T00:00:00Z";
/// What each service account has a grant on.
pub const RESOURCE: &str = "Process/expense-claims";

/// The token of the n-th key.
pub fn token(n: usize) -> Result<Token, Failure> {
    let block = |block: usize| sha256(format!("keyward bench {n} {block}").as_bytes());
    // Bytes that are skipped are made up for.
    let bytes: Vec<u8> = (0..).flat_map(block).take(2 * RANDOM_BYTES).collect();
    Token::from_random(&bytes).ok_or_else(|| "too few bytes for a token".into())
}

/// Whose the n-th key is.
pub struct Owner {
    pub account: usize,
    pub service_account: usize,
}

impl Owner {
    pub fn of(n: usize) -> Self {
        let service_account = n / KEYS_PER_SERVICE_ACCOUNT;
        Self { account: service_account / SERVICE_ACCOUNTS_PER_ACCOUNT, service_account }
    }

    pub fn namespace(&self) -> String {
        format!("bench-account-{}", self.account)
    }

    pub fn name(&self) -> String {
        format!("service-account-{}", self.service_account)
    }
}

/// How many service accounts that many keys have.
pub fn service_accounts(keys: usize) -> usize {
    keys.div_ceil(KEYS_PER_SERVICE_ACCOUNT)
}

/// The same of the n-th service account.
pub fn owner_of_service_account(n: usize) -> Owner {
    Owner::of(n * KEYS_PER_SERVICE_ACCOUNT)
}

/// A UID as long as a real one.
pub fn uid(kind: u32, n: usize) -> String {
    format!("{kind:08}-0000-4000-8000-{n:012}")
}

pub fn service_account(n: usize) -> Result<ServiceAccount, Failure> {
    let owner = owner_of_service_account(n);
    Ok(serde_json::from_value(json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "ServiceAccount",
        "metadata": {"name": owner.name(), "namespace": owner.namespace(), "uid": uid(1, n), "resourceVersion": format!("{}", 1000 + n)},
        "spec": {},
        "status": {"observedGeneration": 1, "state": "Active"},
    }))?)
}

pub fn grant(n: usize) -> Result<ResourceGrant, Failure> {
    let owner = owner_of_service_account(n);
    let (category, name) = RESOURCE.split_once('/').ok_or("no resource")?;
    Ok(serde_json::from_value(json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "ResourceGrant",
        "metadata": {"name": format!("grant-{n}"), "namespace": owner.namespace()},
        "spec": {"serviceAccountName": owner.name(), "resource": {"category": category, "name": name}, "role": "Member"},
    }))?)
}

pub fn name(n: usize) -> String {
    format!("key-{n}")
}

/// The n-th key as a list of the API server has it, with all that the controller writes.
pub fn access_key(n: usize) -> Result<Value, Failure> {
    let owner = Owner::of(n);
    let created = json!([
        {"manager": "kubectl", "operation": "Apply", "apiVersion": "iam.keyward.dev/v1alpha1", "time": AT, "fieldsType": "FieldsV1",
         "fieldsV1": {"f:spec": {"f:serviceAccountName": {}, "f:validFor": {}}}},
    ]);
    Ok(json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey",
        "metadata": {
            "name": name(n), "namespace": owner.namespace(), "uid": uid(2, n), "resourceVersion": format!("{}", 100_000 + n),
            "generation": 1, "creationTimestamp": AT, "managedFields": created,
        },
        "spec": spec(n),
        "status": status(n, &uid(1, owner.service_account), &uid(2, n))?,
    }))
}

pub fn spec(n: usize) -> Value {
    json!({"serviceAccountName": Owner::of(n).name(), "validFor": "P1Y"})
}

/// The key that all of them are sealed with.
fn sealing_key() -> Result<SigningKey, Failure> {
    SigningKey::from_seed(&[1; SEED_BYTES]).ok_or_else(|| "no sealing key".into())
}

/// What the controller would have made known to verifiers.
pub fn published() -> Result<Published, Failure> {
    Ok(Published { keys: vec![sealing_key()?.public()], sealed_since: Some(AT.parse()?) })
}

/// What the controller would have written for the key with that UID.
pub fn status(n: usize, service_account_uid: &str, uid: &str) -> Result<Value, Failure> {
    let unsealed = unsealed_status(n, service_account_uid)?;
    let mut status: AccessKeyStatus = serde_json::from_value(unsealed)?;
    let record = Record::of_status(&status).ok_or("no token")?;
    status.seal = Some(record.seal(uid, &sealing_key()?));
    Ok(serde_json::to_value(status)?)
}

fn unsealed_status(n: usize, service_account_uid: &str) -> Result<Value, Failure> {
    let token = token(n)?;
    let condition = |type_: &str, reason: &str, message: &str| json!({"type": type_, "status": "True", "reason": reason, "message": message, "lastTransitionTime": AT, "observedGeneration": 1});
    Ok(json!({
        "observedGeneration": 1, "state": "Active", "secretName": name(n), "secretResourceVersion": "123456",
        "serviceAccountUID": service_account_uid, "serial": 1_767_225_601,
        "token": {"id": token.id(), "sha256": token.sha256(), "revision": 1, "issuedAt": AT, "expiresAt": EXPIRES_AT},
        "conditions": [
            condition("Ready", "Issued", "The token is in its Secret."),
            condition("Active", "Active", "The key authenticates."),
        ],
        "auditLog": [{"id": "0123456789abcdef", "time": AT, "actor": "controller", "action": "Issue",
            "object": format!("AccessKey/{}", name(n)), "keyId": token.id(), "reason": "Issued",
            "message": "Issued the token into its Secret; it is good for a year"}],
    }))
}

/// The request that presents a key at `path`.
pub fn request(path: &str, token: &Token) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\r\n", token.reveal())
}

/// The requests of the first `keys` keys.
pub fn requests(path: &str, keys: usize) -> Result<Vec<Vec<u8>>, Failure> {
    (0..keys).map(|n| Ok(request(path, &token(n)?).into_bytes())).collect()
}
