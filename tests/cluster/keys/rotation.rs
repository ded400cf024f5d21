//! Rotation, by hand and ahead of expiry.

use chrono::TimeDelta;
use keyward::api::AccessKey;
use keyward::runtime::clock::now;
use serde_json::json;

use crate::support::{Controller, Scene, condition_states, eventually};

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
    let rotation = json!({"renewBefore": "PT45S", "overlap": "PT10S"});
    scene.key_with("deploy", "ci", json!({"validFor": "PT60S", "rotation": rotation})).await;
    let first = scene.key_when("deploy", "Issued").await.status.unwrap().token.unwrap();
    let key = scene
        .key_once("deploy", "has a previous token", |key| {
            key.status.as_ref().unwrap().previous_token.is_some()
        })
        .await;
    let status = key.status.unwrap();
    let (current, previous) = (status.token.unwrap(), status.previous_token.unwrap());
    assert_eq!(previous.token, first);
    assert_eq!(previous.valid_until, current.issued_at + TimeDelta::seconds(10));
    assert!(current.issued_at < first.expires_at);
    assert!(scene.token("deploy").await.has_sha256(&current.sha256));
    eventually("the previous token is retired", async || {
        let key: AccessKey = scene.get("deploy").await;
        let log = key.status.unwrap().audit_log;
        if log.iter().any(|entry| entry.reason == "PreviousTokenRetired") { Ok(()) } else { Err(log) }
    })
    .await;
}

#[tokio::test]
async fn a_key_that_nothing_renews_is_told_to_expire_and_a_new_token_ends_that() {
    let (scene, controller) = Scene::with_controller("expiring").await;
    scene.short_lived().await;
    scene.service_account("ci").await;
    let in_a_week = now() + TimeDelta::days(7) + TimeDelta::seconds(15);
    scene.key_with("deploy", "ci", json!({"expiresAt": in_a_week})).await;
    scene.key_when("deploy", "Issued").await;
    let key = scene
        .key_once("deploy", "is told to expire", |key| {
            key.status.as_ref().is_some_and(|status| status.expiry_notice.is_some())
        })
        .await;
    let status = key.status.clone().unwrap();
    assert_eq!(condition_states(&status.conditions), ["Ready=True", "Active=True", "Expiring=True"]);
    let (told, token) = (&status.audit_log[0], status.token.as_ref().unwrap());
    assert_eq!((told.reason.as_str(), told.key_id.as_ref()), ("Expiring", Some(&token.id)));
    assert!(told.message.contains("expires within 7 days"), "{}", told.message);
    assert_eq!(scene.event_reasons(&key).await, ["Issued", "Expiring"]);
    let shown = |controller: &Controller| {
        let metrics = controller.metrics();
        let wanted =
            ["30d", "7d", "1d"].map(|within| format!("keyward_access_keys_expiring{{within=\"{within}\"}} "));
        wanted.map(|line| metrics.lines().find_map(|found| found.strip_prefix(&line).map(str::to_owned)))
    };
    assert_eq!(shown(&controller), ["1", "1", "0"].map(|count| Some(count.to_owned())));

    scene.set::<AccessKey>("deploy", json!({"expiresAt": null, "validFor": "P6M", "revision": 2})).await;
    scene
        .key_once("deploy", "does not expire soon", |key| {
            let status = key.status.as_ref().unwrap();
            status.expiry_notice.is_none()
                && condition_states(&status.conditions) == ["Ready=True", "Active=True"]
        })
        .await;
}
