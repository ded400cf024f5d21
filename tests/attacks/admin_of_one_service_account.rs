//! An admin of one service account, who may write the keys of it and name Secrets and labels in them.

use std::process::Output;

use keyward::api::ServiceAccount;
use serde_json::{Value, json};

use crate::support::{Controller, Flags, Scene, eventually};

/// With alice as the admin of the service account `bot`.
async fn administered(name: &str) -> (Scene, Controller) {
    let scene = Scene::new(name).await;
    let controller = Controller::start(&scene, Flags::default()).await;
    scene.service_account("bot").await;
    scene.set::<ServiceAccount>("bot", json!({"admins": [{"kind": "User", "name": "alice"}]})).await;
    eventually("alice manages it", async || {
        let arguments = ["auth", "can-i", "manage", "serviceaccounts.iam.keyward.dev/bot"];
        let answer = scene.kubectl_as("alice", &arguments);
        if answer.status.success() { Ok(()) } else { Err(answer.stdout) }
    })
    .await;
    (scene, controller)
}

fn create(scene: &Scene, spec: &Value) -> Output {
    let key = json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey", "metadata": {"name": "hr"}, "spec": spec,
    });
    scene.kubectl_with(&["--as", "alice", "create", "-f", "-"], &key.to_string())
}

fn refused(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(words), "{said}");
}

#[tokio::test]
async fn no_secret_of_a_key_is_a_release_to_helm() {
    let (scene, _controller) = administered("helm").await;
    let spec = |publish: Value| json!({"serviceAccountName": "bot", "validFor": "P6M", "publish": [publish]});
    let data = json!({"t": "$(token)", "release": "H4sIAAAAAAAA"});
    let named = json!({"name": "sh.helm.release.v1.shop.v2", "data": data});
    refused(&create(&scene, &spec(named)), "by which Helm finds its releases");
    let typed = json!({"name": "shop", "type": "helm.sh/release.v1", "data": data});
    refused(&create(&scene, &spec(typed)), "Helm or Keyward acts");
    let labels = json!({"owner": "helm", "name": "shop", "status": "deployed", "version": "2"});
    let labelled = json!({"name": "shop", "labels": labels, "data": data});
    refused(&create(&scene, &spec(labelled)), "by which Helm finds its releases");
    let own =
        json!({"serviceAccountName": "bot", "validFor": "P6M", "secret": {"labels": labels, "data": data}});
    refused(&create(&scene, &own), "by which Helm finds its releases");
    let helm =
        std::process::Command::new("helm").args(["-n", &scene.namespace, "list", "-q"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&helm.stdout).trim(), "");
}

#[tokio::test]
async fn no_display_name_keeps_the_account_from_being_written() {
    let (scene, _controller) = administered("freeze").await;
    for text in ["x\u{7f}", "x\u{202e}y", "x\u{200b}", "x\ty"] {
        let patch = json!({"spec": {"displayName": text}}).to_string();
        let output = scene.kubectl_as("alice", &["patch", "kwsa", "bot", "--type=merge", "-p", &patch]);
        refused(&output, "may not hold control, direction or zero-width characters");
    }
    scene.service_account("new").await;
    scene.service_account_when("new", "Admitted").await;
}
