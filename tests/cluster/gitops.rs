//! What deployment tools count on.

use keyward::api::{AccessKey, ServiceAccount};
use kube::ResourceExt;

use super::support::{Controller, Flags, Scene, text};

const MANIFESTS: &str = r#"
apiVersion: iam.keyward.dev/v1alpha1
kind: AccessKey
metadata: {name: deploy, labels: {app.kubernetes.io/instance: my-app}, annotations: {argocd.argoproj.io/tracking-id: "x"}}
spec: {serviceAccountName: ci, validFor: P6M}
---
apiVersion: iam.keyward.dev/v1alpha1
kind: ServiceAccount
metadata: {name: ci}
spec: {displayName: CI}
"#;

#[tokio::test]
async fn an_object_that_no_controller_has_seen_is_not_taken_for_finished() {
    let scene = Scene::new("fresh").await;
    text(&scene.kubectl_with(&["apply", "-f", "-"], MANIFESTS));
    for object in ["kwkey/deploy", "kwsa/ci"] {
        let seen = scene.kubectl_text(&["get", object, "-o", "jsonpath={.status.observedGeneration}"]);
        assert_eq!(seen, "-1", "{object}");
    }
}

#[tokio::test]
async fn applying_twice_changes_nothing_and_the_spec_stays_its_owners() {
    let (scene, _controller) = Scene::with_controller("twice").await;
    text(&scene.kubectl_with(&["apply", "-f", "-"], MANIFESTS));
    for object in ["kwkey/deploy", "kwsa/ci"] {
        scene.kubectl_text(&["wait", "--for=condition=Ready", "--timeout=60s", object]);
    }
    let again = text(&scene.kubectl_with(&["apply", "-f", "-"], MANIFESTS));
    assert_eq!(again.matches("unchanged").count(), 2, "{again}");
    let diff = scene.kubectl_with(&["diff", "-f", "-"], MANIFESTS);
    assert!(diff.status.success() && diff.stdout.is_empty(), "{}", String::from_utf8_lossy(&diff.stdout));
    let key: AccessKey = scene.get("deploy").await;
    let account: ServiceAccount = scene.get("ci").await;
    for object in [key.meta_of(), account.meta_of()] {
        assert_eq!(object.generation, Some(1), "the operator never writes a spec");
        let fields = object.managed_fields.unwrap();
        let ours = fields.iter().filter(|entry| entry.manager.as_deref() == Some("keyward-controller"));
        for entry in ours {
            assert_eq!(entry.subresource.as_deref(), Some("status"));
        }
    }
    let secret: k8s_openapi::api::core::v1::Secret = scene.get("deploy").await;
    assert_eq!(secret.labels().keys().collect::<Vec<_>>(), ["app.kubernetes.io/managed-by"]);
    assert!(secret.annotations().keys().all(|name| name.starts_with("iam.keyward.dev/")));
}

#[tokio::test]
async fn all_kubectl_wait_forms_work_and_a_server_side_diff_is_empty() {
    let (scene, _controller) = Scene::with_controller("wait").await;
    text(&scene.kubectl_with(&["apply", "--server-side", "-f", "-"], MANIFESTS));
    scene.kubectl_text(&["wait", "--for=condition=Ready", "--timeout=60s", "kwsa/ci"]);
    let diff = scene.kubectl_with(&["diff", "--server-side", "-f", "-"], MANIFESTS);
    assert!(diff.status.success(), "{}", String::from_utf8_lossy(&diff.stdout));
    let wait = |condition: &str| scene.kubectl_text(&["wait", condition, "--timeout=60s", "kwkey/deploy"]);
    wait("--for=condition=Ready");
    wait("--for=condition=Active");
    wait("--for=jsonpath={.status.secretName}=deploy");
    scene.kubectl_text(&[
        "patch",
        "kwkey",
        "deploy",
        "--type=merge",
        "-p",
        r#"{"spec":{"state":"Inactive"}}"#,
    ]);
    wait("--for=condition=Active=False");
    scene.kubectl_text(&["delete", "kwkey", "deploy", "--wait=false"]);
    scene.kubectl_text(&["wait", "--for=delete", "--timeout=60s", "kwkey/deploy"]);
    assert!(scene.keys().await.is_empty());
}

#[tokio::test]
async fn a_controller_that_comes_late_finishes_what_was_applied_before() {
    let scene = Scene::new("late").await;
    text(&scene.kubectl_with(&["apply", "-f", "-"], MANIFESTS));
    let _controller = Controller::start(&scene, Flags::default()).await;
    scene.key_when("deploy", "Issued").await;
}

trait MetaOf {
    fn meta_of(&self) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
}

impl<K: kube::Resource> MetaOf for K {
    fn meta_of(&self) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
        self.meta().clone()
    }
}
