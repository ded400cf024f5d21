//! A super admin of an account, bound by the controller, who may write it and not delete it.

use keyward::api::{Account, ServiceAccount};
use kube::ResourceExt as _;
use serde_json::json;

use crate::support::{Scene, eventually};

#[tokio::test]
async fn the_garbage_collector_deletes_nothing_for_who_may_not_delete_it() {
    let (scene, _controller) = Scene::with_controller("attack-owner").await;
    scene.limits(json!({"serviceAccounts": 1})).await;
    scene.service_account("ci").await;
    scene.service_account_when("ci", "Admitted").await;
    scene.set::<Account>("account", json!({"superAdmins": [{"kind": "User", "name": "sue"}]})).await;
    let account = "accounts.iam.keyward.dev/account";
    eventually("sue is a super admin", async || {
        let answer = scene
            .kubectl_as("sue", &["patch", account, "--type=merge", "-p", r#"{"spec":{"displayName":"A"}}"#]);
        if answer.status.success() { Ok(()) } else { Err(answer) }
    })
    .await;
    let before: Account = scene.get("account").await;
    let owner = json!([
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "00000000-0000-0000-0000-000000000000"},
    ]);
    for metadata in [json!({"ownerReferences": owner}), json!({"finalizers": ["example.com/hold"]})] {
        let patch = json!({"metadata": metadata}).to_string();
        let output = scene.kubectl_as("sue", &["patch", account, "--type=merge", "-p", &patch]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && errors.contains("may not set or change metadata."), "{errors}");
    }
    // Nor the same by a whole replacement, or by a second account under another name.
    let mut replaced = serde_json::to_value(&before).unwrap();
    replaced["metadata"]["ownerReferences"] = owner;
    let output = scene.kubectl_with(&["--as", "sue", "replace", "-f", "-"], &replaced.to_string());
    assert!(!output.status.success());
    for arguments in [["delete", account], ["delete", "accounts.iam.keyward.dev/other"]] {
        assert!(!scene.kubectl_as("sue", &arguments).status.success());
    }
    // The limit that sue wants rid of still holds for the second service account.
    scene.service_account("more").await;
    scene.service_account_when("more", "ServiceAccountLimitExceeded").await;
    let after: Account = scene.get("account").await;
    assert_eq!((after.uid(), after.owner_references().len(), after.finalizers().len()), (before.uid(), 0, 0));
    assert!(scene.get::<ServiceAccount>("ci").await.owner_references().is_empty());
}
