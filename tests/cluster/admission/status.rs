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

#[tokio::test]
async fn a_verifier_records_use_forward_and_its_begin_once() {
    let (scene, verifier) = scene("forward-only").await;
    let by_verifier =
        |object: &str, field: &str, value: &Value| patch(&scene, &verifier, object, &json!({field: value}));
    let (first, later) = ("2026-11-23T22:36:14Z", "2026-11-23T22:36:15Z");
    for (field, object, words) in [
        ("lastUsedAt", KEY, "may not set status.lastUsedAt of AccessKey.iam.keyward.dev \"ci-key\""),
        (
            "usageRecordedSince",
            ACCOUNT,
            "may not change status.usageRecordedSince of Account.iam.keyward.dev",
        ),
    ] {
        // Forms that the schema lets pass, and no program reads.
        for unreadable in [
            "2026-01-01T00:00:00+99:99",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00,5Z",
            "1969-12-31T23:59:59Z",
        ] {
            let said = by_verifier(object, field, &json!(unreadable));
            assert!(said.contains(words), "{unreadable}: {said}");
        }
        let said = by_verifier(object, field, &json!("2026-02-30T00:00:00Z"));
        assert!(said.contains("is invalid"), "{said}");
        for value in [first, first] {
            let said = by_verifier(object, field, &json!(value));
            assert!(said.contains("patched"), "{value}: {said}");
        }
        for back in [json!("2026-11-23T22:36:13Z"), json!("2020-01-01T00:00:00Z"), Value::Null] {
            let said = by_verifier(object, field, &back);
            assert!(said.contains(words), "{back}: {said}");
        }
        let said = patch(&scene, &verifier, object, &Value::Null);
        assert!(said.contains("may not"), "no status at all: {said}");
    }
    let said = by_verifier(KEY, "lastUsedAt", &json!(later));
    assert!(said.contains("patched"), "{said}");
    let said = by_verifier(ACCOUNT, "usageRecordedSince", &json!(later));
    assert!(said.contains("which is set once"), "{said}");
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
    let mut at_no_time = act("c", 50);
    at_no_time["time"] = json!("2026-01-01T00:00:00+99:99");
    let shown_otherwise = |field: &str, text: &str| {
        let mut entry = act("c", 50);
        entry[field] = json!(text);
        [&[entry][..], &before].concat()
    };
    for (what, log) in [
        ("emptied", vec![]),
        ("a message that controls a terminal", shown_otherwise("message", "a\u{1b}[2Jb")),
        ("a name that turns around", shown_otherwise("onBehalfOf", "ann\u{202e}nna")),
        ("a time that no program reads", [&[at_no_time][..], &before].concat()),
        ("a count below one", [&[entry("c", "ActedOnBehalf", 50, Some(0))][..], &before].concat()),
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
