//! Switching off and on, by the key and by its service account, and expiry.

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::Secret;
use keyward::api::access_key::KeyState;
use keyward::api::{AccessKey, ServiceAccount};
use serde_json::json;

use crate::support::{Scene, condition_states, eventually, text, token_of};

#[tokio::test]
async fn a_key_that_is_switched_off_keeps_its_token_and_comes_back_with_it() {
    let (scene, _controller) = Scene::with_controller("toggle").await;
    scene.service_account("ci").await;
    scene.key("deploy", "ci").await;
    scene.key_when("deploy", "Issued").await;
    let token = scene.token("deploy").await.sha256();

    scene.set::<AccessKey>("deploy", json!({"state": "Inactive"})).await;
    let off = scene.key_when("deploy", "Inactive").await.status.unwrap();
    assert_eq!(off.state, Some(KeyState::Inactive));
    assert_eq!(condition_states(&off.conditions), ["Ready=True", "Active=False"]);
    assert_eq!(scene.token("deploy").await.sha256(), token);
    let changed =
        scene.kubectl(&["patch", "kwkey", "deploy", "--type=merge", "-p", r#"{"spec":{"description":"x"}}"#]);
    let said = String::from_utf8_lossy(&changed.stderr).into_owned();
    assert!(changed.status.success(), "an old manifest can be applied: {said}");
    let warning =
        "Warning: Validation failed for ValidatingAdmissionPolicy 'accesskeys-inactive-warn.iam.keyward.dev'";
    assert!(said.contains(warning) && said.contains("takes effect once it is switched on"), "{said}");

    scene.set::<AccessKey>("deploy", json!({"state": "Active"})).await;
    let key = scene.key_when("deploy", "Issued").await;
    assert_eq!(scene.token("deploy").await.sha256(), token);
    assert_eq!(scene.event_reasons(&key).await, ["Issued", "Inactive", "Activated"]);
}

#[tokio::test]
async fn a_key_that_is_created_switched_off_gets_its_token_when_it_is_switched_on() {
    let (scene, _controller) = Scene::with_controller("born-off").await;
    scene.service_account("ci").await;
    scene.key_with("deploy", "ci", json!({"validFor": "P6M", "state": "Inactive"})).await;
    let off = scene.key_when("deploy", "Inactive").await.status.unwrap();
    assert_eq!((off.token, off.secret_name), (None, None));
    scene.set::<AccessKey>("deploy", json!({"state": "Active"})).await;
    scene.key_when("deploy", "Issued").await;
}

#[tokio::test]
async fn a_whole_account_comes_switched_off_in_any_order_and_its_keys_get_tokens_once_it_is_on() {
    let (scene, _controller) = Scene::with_controller("bootstrap").await;
    scene.key("before", "ci").await;
    scene.key_when("before", "ServiceAccountNotFound").await;
    let manifest = json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "ServiceAccount", "metadata": {"name": "ci"},
        "spec": {"state": "Inactive"},
    });
    text(&scene.kubectl_with(&["create", "-f", "-"], &manifest.to_string()));
    scene.key("after", "ci").await;
    for name in ["before", "after"] {
        let off = scene.key_when(name, "ServiceAccountInactive").await.status.unwrap();
        assert_eq!(condition_states(&off.conditions), ["Ready=True", "Active=False"]);
        assert_eq!((off.state, off.token), (Some(KeyState::Inactive), None));
    }
    // With a change, as an older manifest may have it.
    scene.set::<ServiceAccount>("ci", json!({"state": "Active", "description": "Builds."})).await;
    for name in ["before", "after"] {
        scene.key_when(name, "Issued").await;
    }
}

#[tokio::test]
async fn switching_a_service_account_off_stops_its_keys_and_on_brings_them_back() {
    let (scene, _controller) = Scene::with_controller("account-off").await;
    scene.service_account("ci").await;
    scene.key("deploy", "ci").await;
    scene.key_when("deploy", "Issued").await;
    let token = scene.token("deploy").await.sha256();

    scene.set::<ServiceAccount>("ci", json!({"state": "Inactive"})).await;
    let off = scene.key_when("deploy", "ServiceAccountInactive").await.status.unwrap();
    assert_eq!(off.state, Some(KeyState::Inactive));
    assert_eq!(condition_states(&off.conditions), ["Ready=True", "Active=False"]);
    let refused =
        scene.kubectl(&["patch", "kwsa", "ci", "--type=merge", "-p", r#"{"spec":{"icon":"Rocket"}}"#]);
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        errors.contains("`icon` of a service account may not be changed while it stays inactive"),
        "{errors}"
    );

    scene.set::<ServiceAccount>("ci", json!({"state": "Active"})).await;
    scene.key_when("deploy", "Issued").await;
    assert_eq!(scene.token("deploy").await.sha256(), token);
    let object = scene
        .service_account_once("ci", "counts its key", |object| {
            object
                .status
                .as_ref()
                .and_then(|s| s.keys.as_ref())
                .is_some_and(|keys| (keys.total, keys.active) == (1, 1))
        })
        .await;
    let reasons: Vec<String> =
        object.status.unwrap().audit_log.into_iter().map(|entry| entry.reason).collect();
    for reason in ["Admitted", "Inactive", "Activated", "Issued", "ServiceAccountInactive"] {
        assert!(reasons.contains(&reason.to_owned()), "{reason} in {reasons:?}");
    }
}

#[tokio::test]
async fn a_key_expires_at_the_second_and_its_secret_loses_the_token() {
    let (scene, _controller) = Scene::with_controller("expires").await;
    scene.short_lived().await;
    scene.service_account("ci").await;
    scene.key_with("deploy", "ci", json!({"validFor": "PT15S"})).await;
    let key = scene.key_when("deploy", "Issued").await;
    let expires_at = key.status.unwrap().token.unwrap().expires_at;
    let expired = scene.key_when("deploy", "Expired").await.status.unwrap();
    let since: DateTime<Utc> = expired.conditions[0].last_transition_time.0.to_string().parse().unwrap();
    assert_eq!(since, expires_at, "it expired in the very second");
    assert_eq!(expired.state, Some(KeyState::Expired));
    assert_eq!(condition_states(&expired.conditions), ["Ready=False", "Active=False", "Stalled=True"]);
    eventually("the Secret has no token", async || {
        let secret: Secret = scene.get("deploy").await;
        let entries: Vec<String> = secret.data.iter().flatten().map(|(name, _)| name.clone()).collect();
        if token_of(&secret, "token").is_none() { Ok(()) } else { Err(entries) }
    })
    .await;

    // Raising the revision gives it a new life.
    scene.set::<AccessKey>("deploy", json!({"revision": 2, "validFor": "P6M"})).await;
    let key = scene.key_when("deploy", "Issued").await;
    assert!(
        scene.token("deploy").await.has_sha256(&key.status.as_ref().unwrap().token.as_ref().unwrap().sha256)
    );
    assert_eq!(scene.event_reasons(&key).await, ["Issued", "Expired", "Rotated"]);
}

#[tokio::test]
async fn a_key_may_come_before_its_service_account() {
    let (scene, _controller) = Scene::with_controller("early").await;
    scene.key("deploy", "ci").await;
    let early = scene.key_when("deploy", "ServiceAccountNotFound").await.status.unwrap();
    assert_eq!(early.state, Some(KeyState::Pending));
    assert_eq!(condition_states(&early.conditions), ["Ready=False", "Active=False", "Reconciling=True"]);
    assert_eq!(
        early.conditions[0].message,
        format!("ServiceAccount.iam.keyward.dev \"ci\" not found in namespace \"{}\"", scene.namespace)
    );
    scene.service_account("ci").await;
    scene.key_when("deploy", "Issued").await;
}
