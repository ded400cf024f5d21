//! Deleting: a service account ends its keys, also while nobody watches, and nothing stands in the way of a
//! deletion.

use k8s_openapi::api::core::v1::{Namespace, Secret};
use keyward::api::{AccessKey, Account, ServiceAccount};
use kube::api::DeleteParams;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::support::{Controller, Flags, Scene, TIMEOUT, eventually};

async fn delete<K>(scene: &Scene, name: &str)
where
    K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    scene.api::<K>().delete(name, &DeleteParams::default()).await.unwrap();
}

async fn all_gone(scene: &Scene) {
    eventually("keys and Secrets are gone", async || {
        let keys = scene.keys().await.len();
        let secrets = scene.secrets().await.len();
        if (keys, secrets) == (0, 0) { Ok(()) } else { Err((keys, secrets)) }
    })
    .await;
}

fn deleted_in(account: &Account) -> bool {
    let log = account.status.as_ref().map(|status| status.audit_log.as_slice()).unwrap_or_default();
    log.iter().any(|entry| entry.reason == "ServiceAccountDeleted" && entry.object == "ServiceAccount/ci")
}

async fn two_keys(name: &str) -> (Scene, Controller) {
    let (scene, controller) = Scene::with_controller(name).await;
    scene.service_account("ci").await;
    for key in ["one", "two"] {
        scene.key(key, "ci").await;
        scene.key_when(key, "Issued").await;
    }
    (scene, controller)
}

#[tokio::test]
async fn a_deleted_service_account_takes_its_keys_and_their_secrets_with_it() {
    let (scene, controller) = two_keys("deleted-account").await;
    delete::<ServiceAccount>(&scene, "ci").await;
    all_gone(&scene).await;
    let account = scene.account_once("tells of the deletion", deleted_in).await;
    assert!(account.status.unwrap().seats.is_empty(), "its seat is free");
    let told =
        controller.audit_lines().into_iter().filter(|line| line["reason"] == "ServiceAccountDeleted").count();
    assert_eq!(told, 3, "the account and both keys");
}

#[tokio::test]
async fn a_service_account_deleted_while_the_controller_is_down_is_noticed_when_it_is_back() {
    let (scene, mut controller) = two_keys("deleted-while-down").await;
    controller.kill();
    delete::<ServiceAccount>(&scene, "ci").await;
    let _controller = Controller::start(&scene, Flags::default()).await;
    all_gone(&scene).await;
    scene.account_once("tells of the deletion", deleted_in).await;
}

#[tokio::test]
async fn a_service_account_created_again_under_the_same_name_revives_no_key() {
    let (scene, mut controller) = two_keys("again").await;
    let old: Vec<Option<String>> = scene.keys().await.iter().map(ResourceExt::uid).collect();
    controller.kill();
    delete::<ServiceAccount>(&scene, "ci").await;
    scene.service_account("ci").await;
    let _controller = Controller::start(&scene, Flags::default()).await;
    all_gone(&scene).await;
    scene.key("one", "ci").await;
    let new = scene.key_when("one", "Issued").await;
    assert!(!old.contains(&new.uid()));
}

#[tokio::test]
async fn a_deleted_key_frees_its_seat_and_is_told_of() {
    let (scene, _controller) = two_keys("deleted-key").await;
    delete::<AccessKey>(&scene, "one").await;
    let object = scene
        .service_account_once("ci", "has one seat", |object: &ServiceAccount| {
            object.status.as_ref().is_some_and(|s| s.seats.len() == 1)
        })
        .await;
    let log = object.status.unwrap().audit_log;
    assert!(
        log.iter().any(|entry| entry.reason == "KeyDeleted" && entry.object == "AccessKey/one"),
        "{log:?}"
    );
    eventually("its Secret is gone", async || {
        scene.api::<Secret>().get_opt("one").await.unwrap().map_or(Ok(()), |_| Err("there"))
    })
    .await;
}

#[tokio::test]
async fn a_key_whose_deletion_is_held_up_gets_nothing_back_meanwhile() {
    let (scene, _controller) = Scene::with_controller("held-up").await;
    scene.service_account("ci").await;
    let publish = json!([{"name": "copy", "data": {"key": "$(token)"}}]);
    scene.key_with("deploy", "ci", json!({"validFor": "P6M", "publish": publish})).await;
    let key = scene.key_when("deploy", "Issued").await;
    let hold = |finalizers: Value| {
        let patch = json!({"metadata": {"finalizers": finalizers}}).to_string();
        scene.kubectl_text(&["patch", "kwkey", "deploy", "--type=merge", "-p", &patch])
    };
    hold(json!(["example.com/hold"]));
    delete::<AccessKey>(&scene, "deploy").await;
    let secrets = async || {
        let secrets = scene.secrets().await;
        secrets.iter().map(ResourceExt::name_any).collect::<Vec<_>>()
    };
    let come_to = async |wanted: &[&str]| {
        eventually(&format!("the Secrets are {wanted:?}"), async || {
            let found = secrets().await;
            if found == wanted { Ok(()) } else { Err(found) }
        })
        .await;
    };
    come_to(&["deploy"]).await;
    scene.kubectl_text(&["delete", "secret", "deploy"]);
    // What comes later is done, so the missing Secret was seen.
    scene.key("later", "ci").await;
    scene.key_when("later", "Issued").await;
    assert_eq!(secrets().await, ["later"]);
    hold(json!(null));
    scene.kubectl_text(&["wait", "--for=delete", "kwkey/deploy", TIMEOUT]);
    assert_eq!(scene.event_reasons(&key).await, ["Issued", "Published"]);
}

#[tokio::test]
async fn without_a_controller_a_namespace_goes_at_once() {
    let (scene, mut controller) = two_keys("uninstalled").await;
    controller.terminate();
    for key in scene.keys().await {
        assert!(key.finalizers().is_empty() && key.owner_references().is_empty());
    }
    let object = scene.get::<ServiceAccount>("ci").await;
    assert!(object.finalizers().is_empty() && object.owner_references().is_empty());
    let namespaces: Api<Namespace> = Api::all(scene.client.clone());
    namespaces.delete(&scene.namespace, &DeleteParams::default()).await.unwrap();
    eventually("the namespace is gone", async || {
        namespaces.get_opt(&scene.namespace).await.unwrap().map_or(Ok(()), |found| Err(found.status))
    })
    .await;
}
