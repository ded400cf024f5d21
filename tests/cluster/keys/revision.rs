//! `spec.revision` goes up and down freely: whatever brings an old manifest back breaks nothing.

use keyward::api::AccessKey;
use serde_json::{Value, json};

use crate::support::{Scene, text};

fn manifest(revision: &Value) -> String {
    let mut spec = json!({"serviceAccountName": "ci", "validFor": "P6M"});
    if !revision.is_null() {
        spec["revision"] = revision.clone();
    }
    json!({"apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey", "metadata": {"name": "deploy"}, "spec": spec})
        .to_string()
}

fn revision_of(key: &AccessKey) -> Option<i64> {
    key.status.as_ref()?.token.as_ref().map(|token| token.revision)
}

#[tokio::test]
async fn an_older_revision_is_taken_with_a_warning_and_ends_nothing() {
    let (scene, _controller) = Scene::with_controller("back-and-forth").await;
    scene.service_account("ci").await;
    text(&scene.kubectl_with(&["create", "-f", "-"], &manifest(&Value::Null)));
    let key = scene.key_when("deploy", "Issued").await;
    assert_eq!((key.spec.revision, revision_of(&key)), (None, Some(1)));
    text(&scene.kubectl_with(&["replace", "-f", "-"], &manifest(&json!(3))));
    scene.key_once("deploy", "has revision 3", |key| revision_of(key) == Some(3)).await;
    let token = scene.token("deploy").await;

    for (asked, warned, remark) in [
        (json!(2), "spec.revision is 2 and 3 was issued last, so no token is issued; set it to 4", true),
        (json!(5000), "spec.revision is 5000, more than 1000 above 3", true),
        (json!(3), "spec.revision is 3 and 3 was issued last", false),
        (Value::Null, "", false),
    ] {
        let output = scene.kubectl_with(&["replace", "-f", "-"], &manifest(&asked));
        text(&output);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(warned) && said.is_empty() == warned.is_empty(), "{asked}: {said}");
        let key = scene
            .key_once("deploy", &format!("is looked at with revision {asked}"), |key| {
                let status = key.status.as_ref().unwrap();
                let remarked = status.conditions.iter().any(|condition| condition.type_ == "RevisionBehind");
                Some(status.observed_generation) == key.metadata.generation && remarked == remark
            })
            .await;
        assert_eq!(revision_of(&key), Some(3), "{asked}");
        assert_eq!(scene.token("deploy").await.sha256(), token.sha256(), "{asked}");
    }

    text(&scene.kubectl_with(&["replace", "-f", "-"], &manifest(&json!(4))));
    scene.key_once("deploy", "has revision 4", |key| revision_of(key) == Some(4)).await;
}
