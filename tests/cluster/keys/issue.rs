//! A key is issued: the token in its Secret, everything about it but the token in its status, and who is
//! told.

use k8s_openapi::api::core::v1::Secret;
use keyward::api::access_key::KeyState;
use serde_json::json;

use crate::support::{Scene, condition_states, message};

#[tokio::test]
async fn a_new_key_gets_its_token_into_a_secret_of_its_own() {
    let (scene, controller) = Scene::with_controller("issue").await;
    scene.service_account("ci").await;
    scene.key("deploy", "ci").await;
    let key = scene.key_when("deploy", "Issued").await;
    let status = key.status.clone().unwrap();
    let secret: Secret = scene.get("deploy").await;
    let token = scene.token("deploy").await;
    let recorded = status.token.unwrap();

    assert!(token.has_sha256(&recorded.sha256), "the status has the hash of the token in the Secret");
    assert_eq!(token.id(), recorded.id);
    assert_eq!(secret.type_.as_deref(), Some("iam.keyward.dev/access-key"));
    let entries: Vec<String> = secret.data.unwrap().into_keys().collect();
    assert_eq!(entries, ["expires-at", "key-id", "service-account", "token"]);
    let owners = secret.metadata.owner_references.unwrap();
    assert_eq!((owners[0].kind.as_str(), owners[0].controller), ("AccessKey", Some(true)));

    assert_eq!(status.state, Some(KeyState::Active));
    assert_eq!(status.observed_generation, 1);
    assert_eq!(condition_states(&status.conditions), ["Ready=True", "Active=True"]);
    let expires = recorded.expires_at.format("%Y-%m-%dT%H:%M:%SZ");
    assert_eq!(message(&key), format!("Key {} issued; expires {expires}", recorded.id));
    assert_eq!(status.audit_log.iter().map(|entry| entry.reason.as_str()).collect::<Vec<_>>(), ["Issued"]);
    assert_eq!(scene.event_reasons(&key).await, ["Issued"]);
    let lines: Vec<_> =
        controller.audit_lines().into_iter().filter(|line| line["reason"] == "Issued").collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["key_id"], json!(recorded.id));
    assert_eq!(lines[0]["account"], json!(scene.namespace));
    assert_eq!(lines[0]["object"], json!("AccessKey/deploy"));
}
