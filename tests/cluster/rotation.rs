//! Rotation, by hand and ahead of expiry.

use chrono::TimeDelta;
use keyward::api::AccessKey;
use serde_json::json;

use super::support::{Scene, eventually};

#[tokio::test]
async fn a_raised_revision_issues_a_new_token_and_ends_the_old_one() {
    let (scene, _controller) = Scene::with_controller("revision").await;
    scene.service_account("ci").await;
    scene.key("deploy", "ci").await;
    let first = scene.key_when("deploy", "Issued").await.status.unwrap().token.unwrap();
    scene.set::<AccessKey>("deploy", json!({"revision": 2})).await;
    let key = scene
        .key_once("deploy", "has revision 2", |key| {
            key.status.as_ref().unwrap().token.as_ref().unwrap().revision == 2
        })
        .await;
    let status = key.status.clone().unwrap();
    assert_ne!(status.token.as_ref().unwrap().sha256, first.sha256);
    assert!(status.previous_token.is_none() && status.next_token.is_none());
    assert!(scene.token("deploy").await.has_sha256(&status.token.unwrap().sha256));
    assert_eq!(scene.event_reasons(&key).await, ["Issued", "Rotated"]);
}

#[tokio::test]
async fn a_key_is_renewed_ahead_of_expiry_and_the_previous_token_overlaps() {
    let (scene, _controller) = Scene::with_controller("renewed").await;
    scene.short_lived().await;
    scene.service_account("ci").await;
    let rotation = json!({"renewBefore": "PT36S", "overlap": "PT3S"});
    scene.key_with("deploy", "ci", json!({"validFor": "PT40S", "rotation": rotation})).await;
    let first = scene.key_when("deploy", "Issued").await.status.unwrap().token.unwrap();
    let key = scene
        .key_once("deploy", "has a previous token", |key| {
            key.status.as_ref().unwrap().previous_token.is_some()
        })
        .await;
    let status = key.status.unwrap();
    let (current, previous) = (status.token.unwrap(), status.previous_token.unwrap());
    assert_eq!(previous.token, first);
    assert_eq!(previous.valid_until, current.issued_at + TimeDelta::seconds(3));
    assert!(current.issued_at < first.expires_at);
    assert!(scene.token("deploy").await.has_sha256(&current.sha256));
    eventually("the previous token is retired", async || {
        let key: AccessKey = scene.get("deploy").await;
        let log = key.status.unwrap().audit_log;
        if log.iter().any(|entry| entry.reason == "PreviousTokenRetired") { Ok(()) } else { Err(log) }
    })
    .await;
}
