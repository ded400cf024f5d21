//! An admin of one service account, who may write the keys of it and name Secrets and labels in them.

use std::process::Output;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::RoleBinding;
use keyward::api::{Account, ServiceAccount};
use serde_json::{Value, json};

use crate::support::{Controller, Flags, Scene, eventually, run, text};

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

fn as_alice(scene: &Scene, object: &str, spec: &Value) -> Output {
    let patch = json!({"spec": spec}).to_string();
    scene.kubectl_as("alice", &["patch", object, "--type=merge", "-p", &patch])
}

/// A Secret of `spec.publish` with these fields.
fn copy(fields: &Value) -> Value {
    let mut copy = json!({"name": "copy", "data": {"t": "$(token)", "release": "H4sIAAAAAAAA"}});
    copy.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    copy
}

#[tokio::test]
async fn no_secret_of_a_key_passes_for_one_of_another_tool() {
    let (scene, _controller) = administered("tools").await;
    let spec = |secret: Value, publish: Value| json!({"serviceAccountName": "bot", "validFor": "P6M", "secret": secret, "publish": publish});
    let labels = json!({"owner": "helm", "name": "shop", "status": "deployed", "version": "2"});
    for (fields, words) in [
        (json!({"name": "sh.helm.release.v1.shop.v2"}), "by which Helm finds its releases"),
        (json!({"type": "helm.sh/release.v1"}), "Helm or Keyward acts"),
        (json!({"type": "kubernetes.io/service-account-token"}), "Helm or Keyward acts"),
        (json!({"type": "bootstrap.kubernetes.io/token"}), "Helm or Keyward acts"),
        (json!({"labels": labels}), "by which Helm finds its releases"),
        (json!({"labels": {"argocd.argoproj.io/secret-type": "cluster"}}), "by which deployment tools"),
    ] {
        refused(&create(&scene, &spec(json!({}), json!([copy(&fields)]))), words);
    }
    refused(&create(&scene, &spec(json!({"labels": labels}), json!([]))), "by which Helm finds its releases");

    // What the schema cannot know is not brought about, and alice cannot allow it.
    text(&create(&scene, &json!({"serviceAccountName": "bot", "validFor": "P6M"})));
    scene.key_when("hr", "Issued").await;
    for fields in [
        json!({"type": "example.com/trusted"}),
        json!({"labels": {"example.com/trusted": "yes"}}),
        json!({"annotations": {"replicator.v1.mittwald.de/replicate-to": "*"}}),
    ] {
        text(&as_alice(&scene, "kwkey/hr", &json!({"publish": [copy(&fields)]})));
        scene.key_when("hr", "PublishNotAccepted").await;
        assert!(scene.api::<Secret>().get_opt("copy").await.unwrap().is_none(), "{fields}");
        text(&as_alice(&scene, "kwkey/hr", &json!({"publish": null})));
        scene.key_when("hr", "Issued").await;
    }
    let allowed = json!({"publishing": {"types": ["example.com/trusted"]}});
    refused(&as_alice(&scene, "accounts.iam.keyward.dev/account", &allowed), "alice");
    assert_eq!(text(&run("helm", &["-n", &scene.namespace, "list", "-q"], "")).trim(), "");
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

#[tokio::test]
async fn a_binding_that_cannot_be_written_keeps_nobody_bound_and_no_service_account_waiting() {
    let (scene, _controller) = administered("binding").await;
    let admins = |iam: Value, sup: Value| {
        scene.set::<Account>("account", json!({"iamAdmins": iam, "superAdmins": sup}))
    };
    let bindings = scene.api::<RoleBinding>();
    let bound = async |is: bool| {
        eventually(&format!("sue is bound: {is}"), async || {
            let found = bindings.get_opt("keyward:iam-admins").await.unwrap();
            if found.is_some() == is { Ok(()) } else { Err(found) }
        })
        .await;
    };
    admins(json!([{"kind": "User", "name": "sue"}]), json!([])).await;
    bound(true).await;
    // Somebody else's, which the controller does not take over.
    scene.kubectl_text(&[
        "create",
        "rolebinding",
        "keyward:super-admins",
        "--clusterrole=view",
        "--user=eve",
    ]);
    admins(json!([]), json!([{"kind": "User", "name": "ann"}])).await;
    bound(false).await;
    scene.service_account("new").await;
    scene.service_account_when("new", "Admitted").await;
}
