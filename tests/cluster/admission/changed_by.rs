//! The annotation that says who changed a spec last.

use keyward::api::{AccessKey, Account, ServiceAccount};
use kube::ResourceExt;
use serde_json::{Value, json};

use super::super::support::{Scene, text};
use super::{allow, create_as, manager_of, patch_as, rule};

const ANNOTATION: &str = "iam.keyward.dev/changed-by";

fn stamp(object: &impl ResourceExt) -> Option<&str> {
    object.annotations().get(ANNOTATION).map(String::as_str)
}

async fn stamp_of_key(scene: &Scene) -> Option<String> {
    stamp(&scene.get::<AccessKey>("deploy").await).map(str::to_owned)
}

fn forged(rest: &Value) -> Value {
    let mut patch = rest.clone();
    patch["metadata"] = json!({"annotations": {ANNOTATION: "mallory"}});
    patch
}

#[tokio::test]
async fn every_kind_says_who_changed_its_spec_last() {
    let scene = Scene::new("stamped").await;
    let everything = ["accounts", "serviceaccounts", "accesskeys", "resourcegrants"]
        .map(|kind| rule(kind, &[], &["create", "get", "patch", "manage", "govern"]));
    for user in ["alice", "bob"] {
        allow(&scene, user, &everything).await;
    }
    let grant = json!({
        "serviceAccountName": "ci", "role": "Viewer", "resource": {"category": "App", "name": "mail"},
    });
    for (kind, name, spec, change) in [
        ("Account", "account", json!({}), json!({"displayName": "Team"})),
        ("ServiceAccount", "ci", json!({}), json!({"displayName": "CI"})),
        (
            "AccessKey",
            "deploy",
            json!({"serviceAccountName": "ci", "validFor": "P6M"}),
            json!({"revision": 2}),
        ),
        ("ResourceGrant", "mail", grant, json!({"role": "Editor"})),
    ] {
        text(&create_as(&scene, "alice", kind, name, &spec));
        let object = format!("{kind}.iam.keyward.dev/{name}");
        let path = format!("jsonpath={{.metadata.annotations.{}}}", ANNOTATION.replace('.', "\\."));
        let stamped = || scene.kubectl_text(&["get", &object, "-o", &path]);
        assert_eq!(stamped(), "alice", "{kind}");
        text(&patch_as(&scene, "bob", &object, &json!({"metadata": {"labels": {"a": "b"}}})));
        assert_eq!(stamped(), "alice", "{kind}: the spec is as it was");
        text(&patch_as(&scene, "bob", &object, &json!({"spec": change})));
        assert_eq!(stamped(), "bob", "{kind}");
        let forged = json!({"metadata": {"annotations": {"iam.keyward.dev/created-by": "mallory"}}});
        text(&patch_as(&scene, "bob", &object, &forged));
        let created = "jsonpath={.metadata.annotations.iam\\.keyward\\.dev/created-by}";
        assert_eq!(scene.kubectl_text(&["get", &object, "-o", created]), "alice", "{kind}");
    }
}

#[tokio::test]
async fn nobody_can_forge_who_changed_a_spec() {
    let scene = Scene::new("forged").await;
    allow(&scene, "alice", &manager_of(&["ci"])).await;
    let mut object = forged(&json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey",
        "spec": {"serviceAccountName": "ci", "validFor": "P6M"},
    }));
    object["metadata"]["name"] = json!("deploy");
    object["metadata"]["annotations"]["example.com/note"] = json!("kept");
    text(&scene.kubectl_with(&["--as", "alice", "create", "-f", "-"], &object.to_string()));
    assert_eq!(stamp_of_key(&scene).await.as_deref(), Some("alice"));
    let key: AccessKey = scene.get("deploy").await;
    assert_eq!(key.annotations()["example.com/note"], "kept");

    // By the administrator, so that a name that was put back differs from one that was stamped.
    let by_admin = |patch: &Value| {
        scene.kubectl_text(&["patch", "kwkey/deploy", "--type=merge", "-p", &patch.to_string()]);
    };
    for patch in [
        forged(&json!({})),
        json!({"metadata": {"annotations": {ANNOTATION: null}}}),
        json!({"metadata": {"annotations": null}}),
    ] {
        by_admin(&patch);
        assert_eq!(stamp_of_key(&scene).await.as_deref(), Some("alice"), "{patch}");
    }
    by_admin(&forged(&json!({"spec": {"description": "x"}})));
    let admin = stamp_of_key(&scene).await.unwrap();
    assert!(!["alice", "mallory"].contains(&admin.as_str()), "{admin}");
    text(&patch_as(&scene, "alice", "kwkey/deploy", &forged(&json!({"spec": {"state": "Inactive"}}))));
    assert_eq!(stamp_of_key(&scene).await.as_deref(), Some("alice"));

    let status = r#"{"status":{"state":"Inactive"},"metadata":{"annotations":{"iam.keyward.dev/changed-by":"mallory"}}}"#;
    scene.kubectl_text(&["patch", "kwkey/deploy", "--subresource=status", "--type=merge", "-p", status]);
    assert_eq!(stamp_of_key(&scene).await.as_deref(), Some("alice"));
}

#[tokio::test]
async fn applying_the_same_again_as_somebody_else_changes_nothing() {
    let scene = Scene::new("again").await;
    let rules = ["serviceaccounts", "accesskeys", "accounts"]
        .map(|kind| rule(kind, &[], &["get", "create", "patch", "manage", "govern"]));
    for user in ["alice", "bob"] {
        allow(&scene, user, &rules).await;
    }
    let manifests = "
apiVersion: iam.keyward.dev/v1alpha1
kind: Account
metadata: {name: account}
spec: {limits: {serviceAccounts: 3}}
---
apiVersion: iam.keyward.dev/v1alpha1
kind: ServiceAccount
metadata: {name: ci}
---
apiVersion: iam.keyward.dev/v1alpha1
kind: AccessKey
metadata: {name: deploy, annotations: {iam.keyward.dev/changed-by: mallory}}
spec: {serviceAccountName: ci, validFor: P6M}
";
    let seen = async || {
        let account = scene.get::<Account>("account").await.metadata;
        let service_account = scene.get::<ServiceAccount>("ci").await.metadata;
        [account, service_account, scene.get::<AccessKey>("deploy").await.metadata].map(|metadata| {
            (
                metadata.generation,
                metadata.resource_version,
                metadata.annotations.unwrap()[ANNOTATION].clone(),
            )
        })
    };
    for mode in ["--server-side=true", "--server-side=false"] {
        let arguments = ["apply", mode, "-f", "-"];
        let apply =
            |user: &str| text(&scene.kubectl_with(&[&["--as", user], &arguments[..]].concat(), manifests));
        apply("alice");
        // The first write after the creation stores the status that the schema gives.
        apply("alice");
        let before = seen().await;
        assert!(before.iter().all(|(generation, _, user)| *generation == Some(1) && user == "alice"));
        apply("bob");
        assert_eq!(seen().await, before, "{mode}");
        let diff = [&["--as", "bob", "diff", mode], &arguments[2..]].concat();
        let diff = scene.kubectl_with(&diff, manifests);
        let shown = [diff.stdout, diff.stderr].concat();
        assert!(diff.status.success(), "{mode}: {}", String::from_utf8_lossy(&shown));
        scene.kubectl_text(&["delete", "keyward", "--all"]);
    }
}
