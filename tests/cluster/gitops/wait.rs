//! `kubectl wait` in all its forms, for every kind.

use super::{Controller, Flags, Scene, TIMEOUT, text};

const MANIFESTS: &str = r"
{apiVersion: iam.keyward.dev/v1alpha1, kind: AccessKey, metadata: {name: deploy},
 spec: {serviceAccountName: ci, validFor: P6M}}
---
{apiVersion: iam.keyward.dev/v1alpha1, kind: ResourceGrant, metadata: {name: books},
 spec: {serviceAccountName: ci, resource: {category: App, name: books}, role: Viewer}}
---
{apiVersion: iam.keyward.dev/v1alpha1, kind: ServiceAccount, metadata: {name: ci}, spec: {displayName: CI}}
---
{apiVersion: iam.keyward.dev/v1alpha1, kind: Account, metadata: {name: account}, spec: {displayName: Shop}}
";

/// One of each kind, and a change of its spec.
const CHANGES: [(&str, &str); 4] = [
    ("accesskeys.iam.keyward.dev/deploy", r#"{"spec":{"description":"Deploys the shop."}}"#),
    ("serviceaccounts.iam.keyward.dev/ci", r#"{"spec":{"icon":"Rocket"}}"#),
    ("resourcegrants.iam.keyward.dev/books", r#"{"spec":{"role":"Editor"}}"#),
    ("accounts.iam.keyward.dev/account", r#"{"spec":{"limits":{"serviceAccounts":3}}}"#),
];

#[tokio::test]
async fn kubectl_waits_for_ready_of_every_kind_and_is_not_content_with_what_was_before_a_change() {
    let scene = Scene::new("wait").await;
    text(&scene.kubectl_with(&["apply", "-f", "-"], MANIFESTS));
    let objects = CHANGES.map(|(object, _)| object);
    let ready =
        |object: &str, timeout: &str| scene.kubectl(&["wait", "--for=condition=Ready", object, timeout]);
    let not_yet = |what: &str| {
        for object in objects {
            let output = ready(object, "--timeout=2s");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && said.contains("timed out"), "{object} {what}: {said}");
        }
    };
    not_yet("that nobody has looked at is not ready");
    // What was applied before there was a controller is finished by one that comes late.
    let mut controller = Controller::start(&scene, Flags::default()).await;
    for object in objects {
        text(&ready(object, TIMEOUT));
    }
    controller.kill();
    for (object, change) in CHANGES {
        scene.kubectl_text(&["patch", object, "--type=merge", "-p", change]);
    }
    not_yet("that was changed since is not ready");
    let _controller = Controller::start(&scene, Flags::default()).await;
    for object in objects {
        text(&ready(object, TIMEOUT));
    }
}

#[tokio::test]
async fn kubectl_waits_for_other_conditions_for_a_field_and_for_the_end() {
    let (scene, _controller) = Scene::with_controller("wait-else").await;
    text(&scene.kubectl_with(&["apply", "--server-side", "-f", "-"], MANIFESTS));
    let wait = |what: &str| scene.kubectl_text(&["wait", what, TIMEOUT, "kwkey/deploy"]);
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
    wait("--for=condition=Ready");
    scene.kubectl_text(&["delete", "kwkey", "deploy", "--wait=false"]);
    wait("--for=delete");
    assert!(scene.keys().await.is_empty());
}
