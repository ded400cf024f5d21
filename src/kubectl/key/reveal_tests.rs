//! Which token is revealed, and when none is.

use k8s_openapi::ByteString;
use kube::api::ObjectMeta;
use serde_json::json;

use super::super::super::samples::{from_json, issued, key};
use super::*;

fn token(seed: u8) -> Token {
    let bytes: Vec<u8> = (0..=255).map(|n: u8| n.wrapping_mul(31).wrapping_add(seed)).collect();
    Token::from_random(&bytes).unwrap()
}

fn deploy(state: &str) -> AccessKey {
    let mut status = issued(state, token(1).id(), "2027-05-23T12:00:00Z");
    status["token"]["sha256"] = json!(token(1).sha256());
    key("deploy", json!({}), status)
}

fn secret(owner: &str, values: &[Vec<u8>]) -> Secret {
    let reference = json!([{"apiVersion": "x", "kind": "AccessKey", "name": "deploy", "uid": owner}]);
    let data = values.iter().enumerate().map(|(at, value)| (at.to_string(), ByteString(value.clone())));
    Secret {
        metadata: ObjectMeta { owner_references: Some(from_json(reference)), ..ObjectMeta::default() },
        data: Some(data.collect()),
        ..Secret::default()
    }
}

fn why_not(key: &AccessKey, secret: Option<&Secret>) -> String {
    find(key, "deploy", secret).err().unwrap()
}

#[test]
fn the_present_token_is_found_in_whatever_entry_holds_it() {
    let values = [
        b"ci-bot".to_vec(),
        token(2).reveal().as_bytes().to_vec(),
        format!("Authorization: Bearer {}\n", token(1).reveal()).into_bytes(),
    ];
    let found = find(&deploy("Active"), "deploy", Some(&secret("uid-of-deploy", &values))).ok().unwrap();
    assert!(found.has_sha256(&token(1).sha256()));
}

#[test]
fn where_there_is_no_token_of_the_key_it_is_said_why() {
    let held = secret("uid-of-deploy", &[token(1).reveal().as_bytes().to_vec()]);
    let other = secret("uid-of-deploy", &[token(2).reveal().as_bytes().to_vec()]);
    let foreign = secret("someone", &[token(1).reveal().as_bytes().to_vec()]);
    let name = "accesskey.iam.keyward.dev/deploy";
    assert_eq!(
        why_not(&key("deploy", json!({}), json!({})), Some(&held)),
        format!("{name} has no token yet; why: kubectl -n shop describe kwkey deploy")
    );
    assert_eq!(
        why_not(&deploy("Expired"), Some(&held)),
        format!(
            "{name} has expired and its token was taken out of the Secret; for a new one: kubectl keyward -n shop key \
             rotate deploy"
        )
    );
    assert_eq!(
        why_not(&deploy("Active"), None),
        format!("Secret \"deploy\" of {name} is not there; the controller makes it again")
    );
    assert_eq!(
        why_not(&deploy("Active"), Some(&foreign)),
        format!("Secret \"deploy\" does not belong to {name}")
    );
    assert_eq!(
        why_not(&deploy("Active"), Some(&other)),
        format!("Secret \"deploy\" does not hold the token of {name}; the controller puts it right")
    );
}

#[test]
fn a_token_that_is_of_no_use_is_warned_about() {
    assert_eq!(warning(&deploy("Active")), None);
    assert_eq!(
        warning(&deploy("Inactive")).as_deref(),
        Some("accesskey.iam.keyward.dev/deploy is Inactive: its token authenticates nobody")
    );
}
