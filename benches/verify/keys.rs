//! Keys that server and load agree on without telling each other.

use keyward::api::{AccessKey, ResourceGrant, ServiceAccount};
use keyward::domain::token::Token;
use keyward::domain::verdict::{GrantFacts, KeyFacts, ServiceAccountFacts};
use keyward::verifier::index::{Index, Version};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::Failure;

/// How many keys a service account has.
const OF_ONE: usize = 100;
/// How many service accounts an account has.
const ACCOUNTS: usize = 25;

/// The token of that number.
pub fn token(number: usize) -> Result<Token, Failure> {
    let block = |part: u8| Sha256::digest(format!("bench {number} {part}"));
    let random: Vec<u8> = (0..4).flat_map(|part| block(part).to_vec()).collect();
    Ok(Token::from_random(&random).ok_or("too few characters")?)
}

/// Fills the index with `keys` of them, as the feed would from objects of the API server.
pub fn fill(index: &Index, keys: usize) -> Result<(), Failure> {
    for number in 0..keys {
        let (holder, account) = (number / OF_ONE, number / OF_ONE / ACCOUNTS);
        let (namespace, name, uid) = (
            format!("account-{account}"),
            format!("robot-{holder}"),
            format!("3b0c7a9e-0000-4000-8000-{holder:012}"),
        );
        if number % OF_ONE == 0 {
            let object: ServiceAccount = serde_json::from_value(json!({
                "metadata": {"name": name, "namespace": namespace, "uid": uid},
                "spec": {}, "status": {"observedGeneration": 1, "state": "Active"},
            }))?;
            index.service_account((&namespace, &name), "1", ServiceAccountFacts::of(&object));
            let grant: ResourceGrant = serde_json::from_value(json!({
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"serviceAccountName": name, "role": "Member",
                    "resource": {"category": "Process", "name": "expense-claims"}},
            }))?;
            index.grant((&namespace, &name), GrantFacts::of(&grant));
        }
        let token = token(number)?;
        let key: AccessKey = serde_json::from_value(json!({
            "metadata": {"name": format!("key-{number}"), "namespace": namespace},
            "spec": {"serviceAccountName": name, "validFor": "P6M"},
            "status": {"observedGeneration": 1, "state": "Active", "serviceAccountUID": uid, "token": {
                "id": token.id(), "sha256": token.sha256(), "revision": 1,
                "issuedAt": "2026-01-01T00:00:00Z", "expiresAt": "2126-01-01T00:00:00Z"}},
        }))?;
        let uid = format!("7f6d2c1e-0000-4000-8000-{number:012}");
        let version = Version { uid: &uid, resource_version: &number.to_string() };
        index.key((&namespace, &format!("key-{number}")), version, KeyFacts::of(&key));
    }
    Ok(())
}
