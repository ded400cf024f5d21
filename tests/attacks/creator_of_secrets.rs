//! Whoever may create and change Secrets in a namespace, and nothing of Keyward's status.

use k8s_openapi::api::core::v1::Secret;
use keyward::api::AccessKey;
use keyward::domain::value::token::Token;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::{Controller, Flags, Scene, Verifier, eventually, from_json, key_reason};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A token of one's own choice with that id, as its form asks.
pub fn forged(id: &str) -> Token {
    let body = format!("kw_{id}_{}", "Z".repeat(43));
    let mut checksum = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[usize::try_from(checksum % 62).unwrap()];
        checksum /= 62;
    }
    Token::find_in(&format!("{body}{}", String::from_utf8_lossy(&digits)))
        .expect("it has the form of a token")
}

pub async fn at_work(name: &str) -> (Scene, Controller, Verifier) {
    let scene = Scene::new(name).await;
    let controller = Controller::start(&scene, Flags::default()).await;
    let verifier = Verifier::start(&scene, &[]).await;
    (scene, controller, verifier)
}

/// What a controller before this one would have written for that token.
fn planted(key: &AccessKey, service_account_uid: &str, token: &Token) -> Secret {
    from_json(json!({
        "type": "iam.keyward.dev/access-key",
        "metadata": {
            "name": key.name_any(),
            "labels": {"app.kubernetes.io/managed-by": "keyward"},
            "annotations": {
                "iam.keyward.dev/key-id": token.id(), "iam.keyward.dev/sha256": token.sha256(),
                "iam.keyward.dev/revision": "1", "iam.keyward.dev/issued-at": "2026-01-01T00:00:00Z",
                "iam.keyward.dev/expires-at": "2027-06-01T00:00:00Z", "iam.keyward.dev/serial": "99999999999",
                "iam.keyward.dev/service-account-uid": service_account_uid,
                "iam.keyward.dev/seal": "0000000000000000:AAAA",
            },
            "ownerReferences": [{
                "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey", "name": key.name_any(),
                "uid": key.uid(), "controller": true,
            }],
        },
        "stringData": {"token": token.reveal(), "key-id": token.id()},
    }))
}

#[tokio::test]
async fn a_planted_first_token_is_a_conflict_and_takes_no_strangers_id() {
    let (scene, _controller, verifier) = at_work("planted").await;
    let good = scene.issued("victim").await;
    verifier.answers(&good, 200).await;
    let account = scene.service_account("evil").await;
    let key = scene.key_with("evil-key", "evil", json!({"validFor": "P6M", "state": "Inactive"})).await;
    scene.key_when("evil-key", "Inactive").await;

    let planted_token = forged(good.id());
    let secret = planted(&key, &account.uid().unwrap(), &planted_token);
    scene.api().create(&PostParams::default(), &secret).await.unwrap();
    scene.set::<AccessKey>("evil-key", json!({"state": "Active"})).await;

    // A seal by an unknown key may come from a restore, so the Secret is written anew, with a token of its
    // own.
    let key = scene.key_when("evil-key", "Issued").await;
    assert_ne!(key.status.unwrap().token.unwrap().id, good.id());
    verifier.answers(&scene.token("evil-key").await, 200).await;
    verifier.answers(&planted_token, 401).await;
    verifier.answers(&good, 200).await;
    scene.kubectl_text(&["delete", "kwkey", "evil-key"]);
    verifier.answers(&scene.issued("later").await, 200).await;
    verifier.answers(&good, 200).await;
}

#[tokio::test]
async fn a_planted_token_without_a_seal_is_left_where_it_is_and_refused() {
    let (scene, _controller, verifier) = at_work("unsealed").await;
    let account = scene.service_account("evil").await;
    let key = scene.key_with("evil-key", "evil", json!({"validFor": "P6M", "state": "Inactive"})).await;
    scene.key_when("evil-key", "Inactive").await;
    let token = forged("000000000000");
    let mut secret = planted(&key, &account.uid().unwrap(), &token);
    secret.annotations_mut().remove("iam.keyward.dev/seal");
    scene.api().create(&PostParams::default(), &secret).await.unwrap();
    scene.set::<AccessKey>("evil-key", json!({"state": "Active"})).await;

    let key = scene.key_when("evil-key", "SecretConflict").await;
    assert!(key.status.unwrap().token.is_none());
    verifier.answers(&scene.issued("other").await, 200).await;
    verifier.answers(&token, 401).await;
    // It goes on by itself once the Secret is out of the way.
    scene.kubectl_text(&["delete", "secret", "evil-key"]);
    scene.key_when("evil-key", "Issued").await;
}

/// Writes over the Secret with what it was before.
async fn put_back(scene: &Scene, name: &str, old: &Secret) {
    let patch = json!({
        "metadata": {"annotations": old.annotations()},
        "data": serde_json::to_value(&old.data).unwrap(),
    });
    scene.api::<Secret>().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

#[tokio::test]
async fn an_old_sealed_secret_brings_nothing_back_even_if_the_status_is_lost() {
    let (scene, controller, verifier) = at_work("put-back").await;
    let first = scene.issued("ci").await;
    let old: Secret = scene.get("ci-key").await;
    scene.set::<AccessKey>("ci-key", json!({"revision": 2})).await;
    scene
        .key_once("ci-key", "is rotated", |key| {
            key.status.as_ref().unwrap().token.as_ref().unwrap().revision == 2
        })
        .await;
    let second = scene.token("ci-key").await;
    verifier.answers(&first, 401).await;

    put_back(&scene, "ci-key", &old).await;
    let third = newer(&scene, "ci-key", &second).await;
    for (token, status) in [(&third, 200), (&second, 401), (&first, 401)] {
        verifier.answers(token, status).await;
    }

    // While nobody is there to see it: the old Secret, and no status.
    drop(controller);
    put_back(&scene, "ci-key", &old).await;
    lose_status(&scene, "ci-key");
    let _controller = Controller::start(&scene, Flags::default()).await;
    let fourth = newer(&scene, "ci-key", &first).await;
    for (token, status) in [(&fourth, 200), (&first, 401), (&second, 401), (&third, 401)] {
        verifier.answers(token, status).await;
    }
}

#[tokio::test]
async fn a_lost_status_comes_back_from_the_last_secret_with_the_same_token() {
    let (scene, _controller, verifier) = at_work("lost").await;
    let token = scene.issued("ci").await;
    scene
        .service_account_once("ci", "knows its key's serial", |object| {
            let status = object.status.as_ref().unwrap();
            status.keys.as_ref().is_some_and(|keys| keys.active == 1)
        })
        .await;
    lose_status(&scene, "ci-key");
    scene.key_when("ci-key", "Issued").await;
    assert_eq!(scene.token("ci-key").await.sha256(), token.sha256());
    verifier.answers(&token, 200).await;
}

fn lose_status(scene: &Scene, key: &str) {
    let patch = json!({"status": Value::Null}).to_string();
    scene.kubectl_text(&["patch", "kwkey", key, "--subresource=status", "--type=merge", "-p", &patch]);
}

/// The key's token, once it is another one and recorded.
async fn newer(scene: &Scene, key: &str, than: &Token) -> Token {
    eventually("the Secret has another token, which status records", async || {
        let object: AccessKey = scene.get(key).await;
        let recorded = object.status.as_ref().and_then(|status| status.token.clone());
        let token = scene.token(key).await;
        let is_recorded = recorded.is_some_and(|recorded| token.has_sha256(&recorded.sha256));
        if is_recorded && token.sha256() != than.sha256() && key_reason(&object) == "Issued" {
            Ok(token)
        } else {
            Err(object.status)
        }
    })
    .await
}
