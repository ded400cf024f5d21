//! The Secret: missing, edited, foreign, or taken out of sight.

use k8s_openapi::api::core::v1::Secret;
use keyward::api::access_key::KeyState;
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PostParams};
use serde_json::json;

use crate::support::{Controller, Flags, Scene, condition_states, eventually, from_json, message, token_of};

async fn issued(name: &str) -> (Scene, Controller) {
    let (scene, controller) = Scene::with_controller(name).await;
    scene.service_account("ci").await;
    let secret = json!({"labels": {"team": "a"}, "annotations": {"note": "x"}});
    scene.key_with("deploy", "ci", json!({"validFor": "P6M", "secret": secret})).await;
    scene.key_when("deploy", "Issued").await;
    (scene, controller)
}

#[tokio::test]
async fn a_deleted_secret_comes_back_with_a_new_token_and_the_same_expiry() {
    let (scene, _controller) = issued("deleted").await;
    let before = scene.get::<keyward::api::AccessKey>("deploy").await.status.unwrap().token.unwrap();
    scene.api::<Secret>().delete("deploy", &DeleteParams::default()).await.unwrap();
    let key = scene
        .key_once("deploy", "has another token", |key| {
            key.status.as_ref().unwrap().token.as_ref().unwrap().sha256 != before.sha256
        })
        .await;
    let after = key.status.clone().unwrap().token.unwrap();
    assert!(scene.token("deploy").await.has_sha256(&after.sha256));
    assert_eq!(after.expires_at, before.expires_at, "an expiry never moves");
    assert_eq!(scene.event_reasons(&key).await, ["Issued", "Reissued"]);
    assert_eq!(key.status.unwrap().audit_log[0].reason, "Reissued");
}

#[tokio::test]
async fn an_edited_token_is_replaced_and_an_edited_neighbour_is_put_right() {
    let (scene, _controller) = issued("edited").await;
    let before = scene.get::<keyward::api::AccessKey>("deploy").await.status.unwrap().token.unwrap();
    let edit = |entry: &str| Patch::Merge(json!({"stringData": {entry: "edited"}}));
    scene.api::<Secret>().patch("deploy", &Default::default(), &edit("key-id")).await.unwrap();
    eventually("the neighbour is put right", async || {
        let secret = scene.get::<Secret>("deploy").await;
        let value = secret.data.unwrap().remove("key-id").unwrap().0;
        if value == before.id.as_bytes() { Ok(()) } else { Err(value) }
    })
    .await;
    assert!(scene.token("deploy").await.has_sha256(&before.sha256), "with the same token");

    scene.api::<Secret>().patch("deploy", &Default::default(), &edit("token")).await.unwrap();
    let key = scene
        .key_once("deploy", "has another token", |key| {
            key.status.as_ref().unwrap().token.as_ref().unwrap().sha256 != before.sha256
        })
        .await;
    assert!(
        scene.token("deploy").await.has_sha256(&key.status.as_ref().unwrap().token.as_ref().unwrap().sha256)
    );
    assert_eq!(scene.event_reasons(&key).await, ["Issued", "SecretRepaired", "Reissued"]);
}

#[tokio::test]
async fn labels_that_are_asked_for_stay_others_are_left_alone_and_dropped_ones_go() {
    let (scene, _controller) = issued("labels").await;
    let token = scene.token("deploy").await.sha256();
    let labels = async |what: &str, wanted: &[(&str, Option<&str>)]| {
        eventually(what, async || {
            let found = scene.get::<Secret>("deploy").await.labels().clone();
            let holds = wanted.iter().all(|(name, value)| found.get(*name).map(String::as_str) == *value);
            if holds { Ok(()) } else { Err(found) }
        })
        .await;
    };
    let patch = Patch::Merge(
        json!({"metadata": {"labels": {"team": "b", "by-someone": "1", "app.kubernetes.io/managed-by": null}}}),
    );
    scene.api::<Secret>().patch("deploy", &Default::default(), &patch).await.unwrap();
    labels(
        "asked for labels are back",
        &[("team", Some("a")), ("by-someone", Some("1")), ("app.kubernetes.io/managed-by", Some("keyward"))],
    )
    .await;
    scene
        .set::<keyward::api::AccessKey>(
            "deploy",
            json!({"secret": {"labels": {"team": null, "tier": "gold"}}}),
        )
        .await;
    labels(
        "new labels are set and dropped ones gone",
        &[("team", None), ("tier", Some("gold")), ("by-someone", Some("1"))],
    )
    .await;
    assert_eq!(scene.token("deploy").await.sha256(), token);
}

#[tokio::test]
async fn changed_data_is_rendered_again_with_the_same_token() {
    let (scene, _controller) = issued("data").await;
    let token = scene.token("deploy").await;
    let data = json!({"secret": {"data": {"config": "account=$(account) bearer=$(token)"}}});
    scene.set::<keyward::api::AccessKey>("deploy", data).await;
    let secret = eventually("the Secret has the new data", async || {
        let secret = scene.get::<Secret>("deploy").await;
        if token_of(&secret, "config").is_some() { Ok(secret) } else { Err("not yet") }
    })
    .await;
    let data = secret.data.unwrap();
    assert_eq!(data.len(), 1, "it replaces the default data whole");
    assert_eq!(data["config"].0, format!("account={} bearer={}", scene.namespace, token.reveal()).as_bytes());
}

#[tokio::test]
async fn a_foreign_secret_stays_untouched_and_the_key_waits_until_it_is_gone() {
    let (scene, _controller) = Scene::with_controller("foreign").await;
    let foreign: Secret =
        from_json(json!({"metadata": {"name": "deploy"}, "stringData": {"mine": "precious"}}));
    let foreign = scene.api().create(&PostParams::default(), &foreign).await.unwrap();
    scene.service_account("ci").await;
    scene.key("deploy", "ci").await;
    let key = scene.key_when("deploy", "SecretConflict").await;
    assert_eq!(
        message(&key),
        "Secret \"deploy\" exists and is not owned by this AccessKey; delete it or choose another `secret.name`"
    );
    let status = key.status.clone().unwrap();
    assert_eq!(status.state, Some(KeyState::Rejected));
    assert_eq!(condition_states(&status.conditions), ["Ready=False", "Active=False", "Stalled=True"]);
    let after = scene.get::<Secret>("deploy").await;
    assert_eq!(after.resource_version(), foreign.resource_version(), "not one write");
    scene.api::<Secret>().delete("deploy", &DeleteParams::default()).await.unwrap();
    let key = scene.key_when("deploy", "Issued").await;
    assert_eq!(scene.event_reasons(&key).await, ["SecretConflict", "Issued"]);
}

#[tokio::test]
async fn a_secret_of_another_type_stays_untouched_whoever_it_says_owns_it() {
    let (scene, mut controller) = Scene::with_controller("other-type").await;
    controller.terminate();
    scene.service_account("ci").await;
    let key = scene.key("deploy", "ci").await;
    let owner = json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey", "name": "deploy", "uid": key.uid(), "controller": true,
    });
    let metadata = json!({
        "name": "deploy", "ownerReferences": [owner], "labels": {"app.kubernetes.io/managed-by": "keyward"},
    });
    let planted: Secret = from_json(json!({"metadata": metadata, "type": "example.com/other"}));
    let planted = scene.api().create(&PostParams::default(), &planted).await.unwrap();
    let _controller = Controller::start(&scene, Flags::default()).await;
    scene.key_when("deploy", "SecretConflict").await;
    assert_eq!(scene.get::<Secret>("deploy").await.resource_version(), planted.resource_version());
}

#[tokio::test]
async fn of_two_keys_that_want_one_secret_the_second_waits() {
    let (scene, _controller) = Scene::with_controller("shared").await;
    scene.service_account("ci").await;
    let spec = json!({"validFor": "P6M", "secret": {"name": "shared"}});
    scene.key_with("one", "ci", spec.clone()).await;
    scene.key_when("one", "Issued").await;
    scene.key_with("two", "ci", spec).await;
    scene.key_when("two", "SecretConflict").await;
    let key = scene.get::<keyward::api::AccessKey>("one").await;
    assert!(scene.token("shared").await.has_sha256(&key.status.unwrap().token.unwrap().sha256));
}
