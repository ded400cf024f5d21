//! Metadata that deletes, or keeps from being deleted, takes the right to delete.

use serde_json::{Value, json};

use super::super::support::{Scene, eventually, text};
use super::{allow, bind, manager_of, patch_as, refused, rule};

fn owned_by(uid: &str) -> Value {
    let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": uid});
    json!({"metadata": {"ownerReferences": [owner]}})
}

const NO_ONE: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn who_may_not_delete_an_object_has_nobody_else_delete_it_either() {
    let (scene, _controller) = Scene::with_controller("owners").await;
    scene.issued("ci").await;
    scene.grant("mail", "ci", "App", "mail", json!({})).await;
    // A super admin may manage all, but delete nothing of these.
    bind(&scene, "sue", "keyward-super-admin").await;
    let may_change = ["accounts", "serviceaccounts", "resourcegrants"]
        .map(|kind| rule(kind, &[], &["get", "patch", "manage"]));
    allow(&scene, "mel", &may_change).await;
    allow(&scene, "kim", &manager_of(&["ci"])).await;
    let hold = json!({"metadata": {"finalizers": ["example.com/hold"]}});
    let (account, service_account) =
        ("accounts.iam.keyward.dev/account", "serviceaccounts.iam.keyward.dev/ci");
    for object in [account, service_account, "resourcegrant/mail"] {
        for (patch, field) in [(&owned_by(NO_ONE), "ownerReferences"), (&hold, "finalizers")] {
            let words = format!("may not set or change metadata.{field} of ");
            eventually(&format!("{field} of {object} are guarded"), async || {
                let output = patch_as(&scene, "mel", object, patch);
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                if said.contains(&words) { Ok(()) } else { Err(said) }
            })
            .await;
        }
    }
    // Everything else of the metadata is free, and who may delete may have it deleted.
    text(&patch_as(&scene, "mel", service_account, &json!({"metadata": {"labels": {"team": "a"}}})));
    text(&patch_as(&scene, "kim", "kwkey/ci-key", &hold));
    text(&patch_as(&scene, "kim", "kwkey/ci-key", &json!({"metadata": {"finalizers": null}})));
}

#[tokio::test]
async fn an_account_is_deleted_by_who_may_govern_it_and_with_its_namespace() {
    let (scene, _controller) = Scene::with_controller("account-deletion").await;
    scene.issued("ci").await;
    allow(&scene, "del", &[rule("accounts", &[], &["get", "delete"])]).await;
    allow(&scene, "gov", &[rule("accounts", &[], &["get", "delete", "govern"])]).await;
    allow(&scene, "own", &[rule("accounts", &[], &["get", "delete", "deletecollection", "patch"])]).await;
    // Nor has anyone else it deleted, or all accounts at once, or keeps it from going.
    let account = "accounts.iam.keyward.dev/account";
    for patch in [owned_by(NO_ONE), json!({"metadata": {"finalizers": ["example.com/hold"]}})] {
        refused(
            &patch_as(&scene, "own", account, &patch),
            "this needs the verb \"govern\" on it, as its deletion does",
        );
    }
    let all = format!("/apis/iam.keyward.dev/v1alpha1/namespaces/{}/accounts", scene.namespace);
    refused(&scene.kubectl_as("own", &["delete", "--raw", &all]), "this needs the verb \"govern\" on it");
    let delete = |user: &str| scene.kubectl_as(user, &["delete", "accounts.iam.keyward.dev", "account"]);
    refused(&delete("del"), "this needs the verb \"govern\" on it");
    text(&delete("gov"));
    scene.kubectl_text(&["delete", "namespace", &scene.namespace, "--wait=false"]);
    eventually("the namespace goes", async || {
        let output = scene.kubectl(&["get", "namespace", &scene.namespace, "-o", "name"]);
        if output.status.success() { Err(output.stdout) } else { Ok(()) }
    })
    .await;
}
