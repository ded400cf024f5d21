//! Status is written by the programs of the installation alone, each in its own part, whatever RBAC allows.

use serde_json::{Value, json};

use super::super::support::Scene;
use super::{allow, rule};
use crate::support::identity::VERIFIER;

const KEY: &str = "accesskey/ci-key";
const SERVICE_ACCOUNT: &str = "serviceaccounts.iam.keyward.dev/ci";
const ACCOUNT: &str = "accounts.iam.keyward.dev/account";

fn patch(scene: &Scene, user: &str, object: &str, status: &Value) -> String {
    let patch = json!({"status": status}).to_string();
    let output =
        scene.kubectl_as(user, &["patch", object, "--subresource=status", "--type=merge", "-p", &patch]);
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// Rights on all status, and on Secrets too.
fn rules() -> Vec<Value> {
    let of_status =
        ["accounts/status", "serviceaccounts/status", "accesskeys/status", "resourcegrants/status"]
            .map(|resource| rule(resource, &[], &["get", "patch"]));
    let objects = ["accounts", "serviceaccounts", "accesskeys", "resourcegrants"]
        .map(|resource| rule(resource, &[], &["get"]));
    let secrets = json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]});
    [&of_status[..], &objects[..], &[secrets]].concat()
}

/// A scene with one key, and the name by which the API server knows its verifiers.
async fn scene(name: &str) -> (Scene, String) {
    let (scene, controller) = Scene::with_controller(name).await;
    let verifier = format!("system:serviceaccount:{}:{VERIFIER}", scene.namespace);
    let controller_user = format!("system:serviceaccount:{}:keyward-controller", scene.namespace);
    for user in ["mallory", &verifier, &controller_user] {
        allow(&scene, user, &rules()).await;
    }
    scene.grant("mail", "ci", "App", "mail", json!({})).await;
    scene.issued("ci").await;
    // So that nothing else writes what is looked at.
    drop(controller);
    (scene, verifier)
}

#[tokio::test]
async fn who_is_no_program_of_the_installation_writes_no_status_whatever_else_they_may_write() {
    let (scene, verifier) = scene("status").await;
    for (object, status, field) in [
        (KEY, json!({"token": {"sha256": "0".repeat(64)}}), "token"),
        (KEY, json!({"state": "Expired"}), "state"),
        (KEY, json!({"serviceAccountUID": "another"}), "serviceAccountUID"),
        (KEY, json!({"token": null}), "token"),
        (SERVICE_ACCOUNT, json!({"seats": []}), "seats"),
        (SERVICE_ACCOUNT, json!({"state": "Inactive", "auditLog": []}), "state"),
        (ACCOUNT, json!({"seats": []}), "seats"),
        ("resourcegrant/mail", json!({"conditions": []}), "conditions"),
    ] {
        for user in ["mallory", &verifier] {
            let said = patch(&scene, user, object, &status);
            let refusal = format!("user \"{user}\" may not change status.");
            assert!(said.contains(&refusal) && said.contains(&format!("status.{field}")), "{object}: {said}");
        }
    }
    let used = json!("2026-11-23T22:36:14Z");
    for (object, status) in
        [(KEY, json!({"lastUsedAt": used})), (ACCOUNT, json!({"usageRecordedSince": used}))]
    {
        let said = patch(&scene, "mallory", object, &status);
        assert!(said.contains("may not change status."), "{object}: {said}");
        let said = patch(&scene, &verifier, object, &status);
        assert!(said.contains("patched"), "{object}: {said}");
    }
    let said = patch(&scene, "mallory", SERVICE_ACCOUNT, &json!({"auditLog": []}));
    assert!(said.contains("may not change status.auditLog"), "{said}");
    // The controller by its name, and whom the chart exempts.
    let controller = format!("system:serviceaccount:{}:keyward-controller", scene.namespace);
    for arguments in [vec!["--as", &*controller], vec!["--as", "ann", "--as-group", "system:masters"]] {
        let change = [
            "patch",
            SERVICE_ACCOUNT,
            "--subresource=status",
            "--type=merge",
            "-p",
            r#"{"status":{"removableKeys":["x"]}}"#,
        ];
        let output = scene.kubectl(&[&arguments[..], &change[..]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn entry(id: &str, reason: &str, second: u32, count: Option<i32>) -> Value {
    let mut entry = json!({
        "id": id, "time": format!("2026-11-23T22:36:{second:02}Z"), "actor": "keyward:team:ci", "action": "Act",
        "object": "AccessKey/ci-key", "reason": reason, "message": format!("entry {id}"),
    });
    if let Some(count) = count {
        entry["count"] = json!(count);
    }
    entry
}

#[tokio::test]
async fn a_verifier_lengthens_an_audit_log_and_rewrites_none() {
    let (scene, verifier) = scene("log").await;
    let act = |id: &str, second: u32| entry(id, "ActedOnBehalf", second, Some(3));
    let off = entry("off", "Inactive", 10, None);
    let before = vec![act("b", 30), act("a", 20), off.clone()];
    let put = |log: &[Value]| {
        let patch = json!({"status": {"auditLog": log}}).to_string();
        scene.kubectl_text(&["patch", SERVICE_ACCOUNT, "--subresource=status", "--type=merge", "-p", &patch]);
    };
    put(&before);
    let counted = entry("b", "ActedOnBehalf", 40, Some(4));
    let mut reworded = counted.clone();
    reworded["message"] = json!("another");
    let forged = entry("new", "Activated", 50, None);
    for (what, log) in [
        ("emptied", vec![]),
        ("another entry lost", vec![act("b", 30), act("a", 20)]),
        ("an act lost", vec![act("b", 30), off.clone()]),
        ("an entry of another kind", [&[forged][..], &before].concat()),
        ("reworded", vec![reworded, act("a", 20), off.clone()]),
        ("counted down", vec![entry("b", "ActedOnBehalf", 40, Some(2)), act("a", 20), off.clone()]),
        ("set back", vec![entry("b", "ActedOnBehalf", 29, Some(4)), act("a", 20), off.clone()]),
        ("another changed", vec![act("b", 30), act("a", 20), entry("off", "Inactive", 10, Some(2))]),
    ] {
        let said = patch(&scene, &verifier, SERVICE_ACCOUNT, &json!({"auditLog": log}));
        assert!(said.contains("may not rewrite status.auditLog"), "{what}: {said}");
    }
    let more: Vec<Value> = (0..18).map(|n| act(&format!("n{n}"), 41 + n)).collect();
    for (what, log) in [
        ("the same", before.clone()),
        ("a new act", [&[act("c", 40)][..], &before].concat()),
        ("counted", vec![act("c", 40), counted, act("a", 20), off.clone()]),
    ] {
        let said = patch(&scene, &verifier, SERVICE_ACCOUNT, &json!({"auditLog": log}));
        assert!(said.contains("patched"), "{what}: {said}");
    }
    // Of 20 acts, the oldest goes for the next one; of a log of 50 entries, the oldest of all.
    let log = [&more[..], &[act("c", 40), entry("b", "ActedOnBehalf", 40, Some(4)), off.clone()]].concat();
    let said = patch(&scene, &verifier, SERVICE_ACCOUNT, &json!({"auditLog": log}));
    assert!(said.contains("patched"), "the oldest act goes: {said}");
    let said = patch(
        &scene,
        &verifier,
        SERVICE_ACCOUNT,
        &json!({"auditLog": ([&[act("x", 59)][..], &log].concat())}),
    );
    assert!(said.contains("may not rewrite"), "21 acts: {said}");
    let full: Vec<Value> = (0..50).map(|n| entry(&format!("f{n}"), "Inactive", 59 - n, None)).collect();
    put(&full);
    let said = patch(
        &scene,
        &verifier,
        SERVICE_ACCOUNT,
        &json!({"auditLog": ([&[act("x", 59)][..], &full[..49]].concat())}),
    );
    assert!(said.contains("patched"), "a full log: {said}");
    let said = patch(
        &scene,
        &verifier,
        SERVICE_ACCOUNT,
        &json!({"auditLog": ([&[act("x", 59), act("y", 59)][..], &full[1..49]].concat())}),
    );
    assert!(said.contains("may not rewrite"), "a young entry of a full log: {said}");
}
