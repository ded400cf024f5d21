//! Whoever may write status, as verifiers do, may not say by it which token is good.

use serde_json::{Value, json};

use super::super::support::{Scene, eventually};
use super::{allow, rule};

fn patch(scene: &Scene, user: &str, object: &str, status: &Value) -> String {
    let patch = json!({"status": status}).to_string();
    let output =
        scene.kubectl_as(user, &["patch", object, "--subresource=status", "--type=merge", "-p", &patch]);
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[tokio::test]
async fn who_may_write_status_and_no_secrets_records_use_and_nothing_else() {
    let (scene, _controller) = Scene::with_controller("status").await;
    let of_status =
        ["accounts/status", "serviceaccounts/status", "accesskeys/status", "resourcegrants/status"]
            .map(|resource| rule(resource, &[], &["get", "patch"]));
    let objects = ["accounts", "serviceaccounts", "accesskeys", "resourcegrants"]
        .map(|resource| rule(resource, &[], &["get"]));
    let rules = [of_status, objects].concat();
    allow(&scene, "mallory", &rules).await;
    let secrets = json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]});
    allow(&scene, "keeper", &[rules, vec![secrets]].concat()).await;
    scene.grant("mail", "ci", "App", "mail", json!({})).await;
    scene.issued("ci").await;

    let (key, service_account) = ("accesskey/ci-key", "serviceaccounts.iam.keyward.dev/ci");
    let account = "accounts.iam.keyward.dev/account";
    let own = json!({"token": {"sha256": "0".repeat(64)}});
    eventually("the policy is in force", async || {
        let said = patch(&scene, "mallory", key, &own);
        if said.contains("may not change status.token of AccessKey.iam.keyward.dev \"ci-key\"") {
            Ok(())
        } else {
            Err(said)
        }
    })
    .await;
    for (object, status, field) in [
        (key, json!({"state": "Expired"}), "state"),
        (key, json!({"serviceAccountUID": "another"}), "serviceAccountUID"),
        (key, json!({"token": null}), "token"),
        (service_account, json!({"seats": []}), "seats"),
        (service_account, json!({"state": "Inactive", "auditLog": []}), "state"),
        (account, json!({"seats": []}), "seats"),
        ("resourcegrant/mail", json!({"conditions": []}), "conditions"),
    ] {
        let said = patch(&scene, "mallory", object, &status);
        let refusal = format!("may not change status.{field} of ");
        assert!(said.contains(&refusal) && said.contains("the right to create Secrets"), "{object}: {said}");
    }
    for (object, status) in [
        (key, json!({"lastUsedAt": "2026-11-23T22:36:14Z"})),
        (service_account, json!({"auditLog": []})),
        (account, json!({"usageRecordedSince": "2026-11-23T22:36:14Z"})),
    ] {
        let said = patch(&scene, "mallory", object, &status);
        assert!(said.contains("patched"), "{object}: {said}");
    }
    let said = patch(&scene, "keeper", service_account, &json!({"removableKeys": ["x"]}));
    assert!(said.contains("patched"), "{said}");
}
