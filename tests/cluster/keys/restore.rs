//! A namespace that comes back from a backup, as Velero brings it: in its order, with new UIDs, without
//! owners, and without status unless that is asked for.

use k8s_openapi::api::core::v1::Secret;
use keyward::api::{AccessKey, Account, ServiceAccount};
use keyward::domain::value::token::Token;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::support::{Controller, Flags, Scene, Verifier, eventually, text, token_of};

/// What there is to save, in the order in which Velero restores it: its list of kinds first, the rest by
/// name.
const ORDER: [&str; 8] = [
    "roles",
    "rolebindings",
    "secrets",
    "resourcequotas",
    "accesskeys.iam.keyward.dev",
    "accounts.iam.keyward.dev",
    "resourcegrants.iam.keyward.dev",
    "serviceaccounts.iam.keyward.dev",
];

/// Which parts come back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    LeftOut,
    Restored,
}

struct Backup(Vec<(&'static str, Vec<Value>)>);

impl Backup {
    /// Everything of Keyward's in the namespace.
    fn of(scene: &Scene) -> Self {
        Self(ORDER.map(|kind| (kind, items(scene, kind))).into())
    }

    fn without(self, left_out: &str) -> Self {
        Self(self.0.into_iter().filter(|(kind, _)| *kind != left_out).collect())
    }

    fn restore(&self, scene: &Scene, status: Status) {
        for (kind, objects) in &self.0 {
            for object in objects {
                let mut bare = object.clone();
                for field in ["uid", "resourceVersion", "generation", "creationTimestamp", "ownerReferences"]
                {
                    bare["metadata"].as_object_mut().unwrap().remove(field);
                }
                bare["metadata"]["labels"]["velero.io/restore-name"] = json!("disaster");
                text(&scene.kubectl_with(&["create", "-f", "-"], &bare.to_string()));
                if status == Status::Restored && object["status"].is_object() && kind.ends_with("keyward.dev")
                {
                    let patch = json!({"status": object["status"]}).to_string();
                    let name = object["metadata"]["name"].as_str().unwrap();
                    let arguments =
                        ["patch", kind, name, "--subresource=status", "--type=merge", "-p", &patch];
                    text(&scene.kubectl(&arguments));
                }
            }
        }
    }
}

fn items(scene: &Scene, kind: &str) -> Vec<Value> {
    let mut arguments = vec!["get", kind, "-o", "json", "--show-managed-fields"];
    if !kind.ends_with("keyward.dev") {
        arguments.extend(["-l", "app.kubernetes.io/managed-by=keyward"]);
    }
    let list: Value = serde_json::from_str(&scene.kubectl_text(&arguments)).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// Deletes it all, and waits until nothing of it is left.
async fn lose(scene: &Scene) {
    let kinds = "serviceaccounts.iam.keyward.dev,accesskeys,resourcegrants,accounts.iam.keyward.dev";
    eventually("everything is gone", async || {
        // The controller may have made an account again in the midst of it.
        text(&scene.kubectl(&["delete", kinds, "--all"]));
        let left: Vec<Value> = ORDER.iter().flat_map(|kind| items(scene, kind)).collect();
        if left.is_empty() { Ok(()) } else { Err(left.len()) }
    })
    .await;
}

/// A service account with an admin, a key that gateways are fed with, and a grant.
async fn built(scene: &Scene) -> [Token; 2] {
    scene.service_account("ci").await;
    scene.set::<ServiceAccount>("ci", json!({"admins": [{"kind": "User", "name": "alice"}]})).await;
    scene.grant("claims", "ci", "Process", "expense-claims", json!({})).await;
    let copy = json!({"name": "gateway", "data": {"key": "$(token)"}});
    scene.key_with("deploy", "ci", json!({"validFor": "P6M", "publish": [copy]})).await;
    scene.key("other", "ci").await;
    scene.key_when("deploy", "Issued").await;
    scene.key_when("other", "Issued").await;
    scene
        .service_account_once("ci", "has its admin", |object| {
            object.status.as_ref().is_some_and(|status| !status.admins.is_empty())
        })
        .await;
    [scene.token("deploy").await, scene.token("other").await]
}

/// Everything is as it was, but with new tokens.
async fn is_whole(scene: &Scene, verifier: &Verifier, old: &[Token; 2]) {
    for (name, old) in ["deploy", "other"].into_iter().zip(old) {
        scene.key_when(name, "Issued").await;
        let new = scene.token(name).await;
        assert!(new.sha256() != old.sha256(), "{name} has a new token");
        verifier.answers(&new, 200).await;
        verifier.answers(old, 401).await;
    }
    let gateway = scene.get::<Secret>("gateway").await;
    assert_eq!(token_of(&gateway, "key").unwrap().sha256(), scene.token("deploy").await.sha256());
    let new = scene.token("deploy").await;
    eventually("the grant holds", async || {
        let answer = verifier.auth("/for/Process/expense-claims", &new, &[]).await;
        if answer.status == 200 { Ok(()) } else { Err(answer.status) }
    })
    .await;
    eventually("the admin may read the new token", async || {
        let answer = scene.kubectl_as("alice", &["get", "secret", "deploy", "-o", "name"]);
        if answer.status.success() { Ok(()) } else { Err(answer.stderr) }
    })
    .await;
    for (kind, name) in
        [("role", "keyward:ci:admin"), ("rolebinding", "keyward:ci:admin"), ("secret", "deploy")]
    {
        eventually(&format!("{kind} {name} goes with its owner again"), async || {
            let owners = scene.kubectl_text(&[
                "get",
                kind,
                name,
                "-o",
                "jsonpath={.metadata.ownerReferences[*].name}",
            ]);
            if owners.is_empty() { Err("no owner") } else { Ok(()) }
        })
        .await;
    }
}

#[tokio::test]
async fn a_namespace_that_is_restored_whole_gets_new_tokens_and_the_old_ones_stay_refused() {
    let (scene, _controller) = Scene::with_controller("restored").await;
    let verifier = Verifier::start(&scene, &[]).await;
    let old = built(&scene).await;
    let backup = Backup::of(&scene);
    lose(&scene).await;
    backup.restore(&scene, Status::LeftOut);
    is_whole(&scene, &verifier, &old).await;
}

#[tokio::test]
async fn a_namespace_that_is_restored_while_no_controller_runs_is_put_right_by_the_next_one() {
    let (scene, mut controller) = Scene::with_controller("restored-later").await;
    let verifier = Verifier::start(&scene, &[]).await;
    let old = built(&scene).await;
    let backup = Backup::of(&scene);
    lose(&scene).await;
    controller.terminate();
    backup.restore(&scene, Status::LeftOut);
    for old in &old {
        verifier.answers(old, 401).await;
    }
    let _controller = Controller::start(&scene, Flags::default()).await;
    is_whole(&scene, &verifier, &old).await;
}

#[tokio::test]
async fn a_namespace_that_is_restored_without_its_secrets_gets_new_ones() {
    let (scene, _controller) = Scene::with_controller("restored-bare").await;
    let verifier = Verifier::start(&scene, &[]).await;
    let old = built(&scene).await;
    let backup = Backup::of(&scene).without("secrets");
    lose(&scene).await;
    backup.restore(&scene, Status::LeftOut);
    is_whole(&scene, &verifier, &old).await;
}

#[tokio::test]
async fn a_key_that_is_restored_with_its_status_gets_a_new_token_since_the_seal_is_another_keys() {
    let (scene, _controller) = Scene::with_controller("restored-status").await;
    let verifier = Verifier::start(&scene, &[]).await;
    let old = built(&scene).await;
    let backup = Backup::of(&scene).without("secrets");
    lose(&scene).await;
    backup.restore(&scene, Status::Restored);
    is_whole(&scene, &verifier, &old).await;
    let log = scene.get::<AccessKey>("deploy").await.status.unwrap().audit_log;
    assert!(log.iter().any(|entry| entry.reason == "NotSealed"), "{log:?}");
}

#[tokio::test]
async fn an_old_secret_that_is_written_over_the_new_one_brings_no_old_token_back() {
    let (scene, _controller) = Scene::with_controller("overwritten").await;
    let verifier = Verifier::start(&scene, &[]).await;
    let [old, _] = built(&scene).await;
    let before = scene.get::<Secret>("deploy").await;
    scene.set::<AccessKey>("deploy", json!({"revision": 2})).await;
    scene
        .key_once("deploy", "is rotated", |key| {
            key.status.as_ref().unwrap().token.as_ref().is_some_and(|token| token.revision == 2)
        })
        .await;
    let content = json!({"data": before.data, "metadata": {"annotations": before.annotations()}});
    scene.api::<Secret>().patch("deploy", &PatchParams::default(), &Patch::Merge(content)).await.unwrap();
    scene
        .key_once("deploy", "is issued again", |key| {
            key.status.as_ref().unwrap().audit_log[0].reason == "Reissued"
        })
        .await;
    verifier.answers(&scene.token("deploy").await, 200).await;
    verifier.answers(&old, 401).await;
}

#[tokio::test]
async fn what_is_switched_off_comes_back_switched_off() {
    let (scene, _controller) = Scene::with_controller("restored-off").await;
    built(&scene).await;
    scene.set::<ServiceAccount>("ci", json!({"state": "Inactive"})).await;
    scene.key_when("deploy", "ServiceAccountInactive").await;
    let backup = Backup::of(&scene);
    lose(&scene).await;
    backup.restore(&scene, Status::LeftOut);
    scene.service_account_when("ci", "Inactive").await;
    let key = scene.key_when("deploy", "ServiceAccountInactive").await;
    assert!(key.status.unwrap().token.is_none(), "it has no token yet");
    scene.set::<ServiceAccount>("ci", json!({"state": "Active"})).await;
    scene.key_when("deploy", "Issued").await;
}

const LOST: &str = r#"[{"op": "replace", "path": "/status", "value": {"observedGeneration": -1}}]"#;

fn lose_status(scene: &Scene, objects: &[&str]) {
    for object in objects {
        scene.kubectl_text(&["patch", object, "--subresource=status", "--type=json", "-p", LOST]);
    }
}

#[tokio::test]
async fn status_alone_is_rebuilt_from_the_secrets_with_the_same_tokens() {
    let (scene, mut controller) = Scene::with_controller("statusless").await;
    let verifier = Verifier::start(&scene, &[]).await;
    let tokens = built(&scene).await;
    scene
        .service_account_once("ci", "has heard of both tokens", |object| {
            object.status.as_ref().unwrap().keys.as_ref().is_some_and(|keys| keys.active == 2)
        })
        .await;
    controller.terminate();
    lose_status(&scene, &["accesskey/deploy", "accesskey/other", "accounts.iam.keyward.dev/account"]);
    assert!(scene.get::<Account>("account").await.status.unwrap().seats.is_empty());
    let mut controller = Controller::start(&scene, Flags::default()).await;
    for (name, token) in ["deploy", "other"].into_iter().zip(&tokens) {
        scene.key_when(name, "Issued").await;
        assert_eq!(scene.token(name).await.sha256(), token.sha256(), "the same token");
        verifier.answers(token, 200).await;
    }

    // A service account's status alone is rebuilt from its keys.
    controller.terminate();
    lose_status(&scene, &["serviceaccounts.iam.keyward.dev/ci"]);
    let _controller = Controller::start(&scene, Flags::default()).await;
    scene
        .service_account_once("ci", "has both seats", |object| {
            object.status.as_ref().is_some_and(|status| status.seats.len() == 2)
        })
        .await;
    for token in &tokens {
        verifier.answers(token, 200).await;
    }
}

#[tokio::test]
async fn with_the_status_of_the_service_account_lost_too_there_are_new_tokens() {
    let (scene, mut controller) = Scene::with_controller("all-lost").await;
    let verifier = Verifier::start(&scene, &[]).await;
    let tokens = built(&scene).await;
    controller.terminate();
    // Later than the second in which the tokens were drawn.
    let drawn = scene.get::<AccessKey>("other").await.status.unwrap().serial.unwrap();
    eventually("time passes", async || {
        let now = keyward::runtime::clock::Clock::System.second();
        if now > drawn { Ok(()) } else { Err(now) }
    })
    .await;
    lose_status(&scene, &["accesskey/deploy", "accesskey/other", "serviceaccounts.iam.keyward.dev/ci"]);
    let _controller = Controller::start(&scene, Flags::default()).await;
    is_whole(&scene, &verifier, &tokens).await;
}
