//! Switching off a service account that something still uses.

use std::process::Output;

use keyward::api::ServiceAccount;
use keyward::api::shared::DesiredState;
use serde_json::{Value, json};

use super::super::support::guard::Guard;
use super::super::support::{Scene, eventually, text};
use super::refused;

const USED: &str = "ServiceAccount.iam.keyward.dev \"ci\" is still used: One integration runs as it: App/mail; Two items are \
                    assigned to it";

/// Two service accounts, of which something uses `ci`.
async fn used(name: &str) -> Scene {
    let scene = Scene::new(name).await;
    for name in ["ci", "spare"] {
        scene.service_account(name).await;
    }
    let sentences = ["One integration runs as it: App/mail", "Two items are assigned to it"];
    let status = json!({"status": {"associatedResources": {
        "total": 3, "impersonation": "Disabled", "inUse": sentences,
    }}});
    let patch = status.to_string();
    scene.kubectl_text(&["patch", "kwsa/ci", "--subresource=status", "--type=merge", "-p", &patch]);
    scene
}

fn change(scene: &Scene, name: &str, spec: &Value) -> Output {
    let patch = json!({"spec": spec}).to_string();
    scene.kubectl(&["patch", &format!("kwsa/{name}"), "--type=merge", "-p", &patch])
}

fn switch(scene: &Scene, name: &str, state: &str) -> Output {
    change(scene, name, &json!({"state": state}))
}

#[tokio::test]
async fn switching_off_what_is_still_used_warns_and_says_by_what() {
    let scene = used("warned").await;
    let warnings = |output: Output| {
        text(&output);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert_eq!(warnings(change(&scene, "ci", &json!({"description": "x"}))), "");
    let said = warnings(switch(&scene, "ci", "Inactive"));
    assert!(said.starts_with("Warning: ") && said.contains(USED), "{said}");
    assert_eq!(scene.get::<ServiceAccount>("ci").await.spec.state, DesiredState::Inactive);
    for (name, state) in [("ci", "Inactive"), ("ci", "Active"), ("spare", "Inactive")] {
        assert_eq!(warnings(switch(&scene, name, state)), "", "{name} {state}");
    }
}

#[tokio::test]
async fn where_it_must_be_confirmed_only_the_right_name_switches_off_what_is_still_used() {
    let scene = used("confirmed").await;
    let guard = Guard::install(&scene);
    let confirm = |name: &str| {
        let patch = json!({
            "metadata": {"annotations": {"iam.keyward.dev/confirm-deactivation": name}},
            "spec": {"state": "Inactive"},
        });
        scene.kubectl(&["patch", "kwsa/ci", "--type=merge", "-p", &patch.to_string()])
    };
    let dry =
        ["patch", "kwsa/ci", "--dry-run=server", "--type=merge", "-p", r#"{"spec":{"state":"Inactive"}}"#];
    eventually("the policy is in force", async || {
        let output = scene.kubectl(&dry);
        if output.status.success() { Err(output) } else { Ok(()) }
    })
    .await;
    let how =
        "; to switch it off all the same, set its annotation iam.keyward.dev/confirm-deactivation to \"ci\"";
    refused(&switch(&scene, "ci", "Inactive"), &format!("{USED}{how}\n"));
    refused(&confirm("spare"), &format!("{USED}{how}, not \"spare\"\n"));
    refused(&confirm(""), &format!("{USED}{how}, not \"\"\n"));
    text(&switch(&scene, "spare", "Inactive"));
    text(&confirm("ci"));
    assert_eq!(scene.get::<ServiceAccount>("ci").await.spec.state, DesiredState::Inactive);
    guard.remove();
}
