//! Keys that nobody uses: warned about, switched off, given back; and how "never used" is told from
//! "unknown".

use keyward::api::{AccessKey, Account, ServiceAccount};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::support::{Scene, Verifier, key_reason, message};

async fn policy(scene: &Scene, policy: Option<Value>) {
    let account = json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "Account",
        "metadata": {"name": "account"}, "spec": policy.map_or_else(|| json!({}), |policy| json!({"unusedAccessKeys": policy})),
    });
    let params = PatchParams::apply("policy-test").force();
    scene.api::<Account>().patch("account", &params, &Patch::Apply(account)).await.unwrap();
}

fn conditions(key: &AccessKey) -> Vec<String> {
    crate::support::condition_states(&key.status.as_ref().unwrap().conditions)
}

#[tokio::test]
async fn a_key_that_nobody_uses_is_warned_about_switched_off_and_given_back() {
    let (scene, _controller) = Scene::with_controller("unused").await;
    let token = scene.issued("ci").await;
    let verifier = Verifier::start(&scene, &[]).await;
    verifier.answers(&token, 200).await;
    policy(&scene, Some(json!({"warnAfter": "PT10S", "deactivateAfter": "PT25S"}))).await;
    let key = scene
        .key_once("ci-key", "is warned about", |key| conditions(key).contains(&"Unused=True".to_owned()))
        .await;
    assert_eq!(key_reason(&key), "Issued");
    let spec = key.spec.clone();
    let key = scene.key_when("ci-key", "Unused").await;
    assert!(message(&key).contains("raise spec.revision"), "{}", message(&key));
    verifier.answers(&token, 401).await;
    assert_eq!((key.spec.clone(), key.metadata.generation), (spec, Some(1)));
    assert!(scene.token("ci-key").await.reveal() == token.reveal(), "the token stays");
    let reasons = scene.event_reasons(&key).await;
    assert_eq!(reasons, ["Issued", "UnusedWarning", "Unused"]);
    let log: Vec<String> = key.status.unwrap().audit_log.into_iter().map(|entry| entry.reason).collect();
    assert_eq!(log[..2], ["Unused", "UnusedWarning"]);

    scene.set::<AccessKey>("ci-key", json!({"description": "still wanted"})).await;
    verifier.answers(&token, 200).await;
    scene.key_when("ci-key", "Unused").await;
    policy(&scene, None).await;
    verifier.answers(&token, 200).await;
}

#[tokio::test]
async fn never_used_is_told_from_unknown() {
    let (scene, _controller) = Scene::with_controller("never").await;
    scene.issued("ci").await;
    let unknown =
        scene.kubectl_text(&["get", "kwkey", "ci-key", "-o", "jsonpath={.status.usageRecordedSince}"]);
    assert_eq!(unknown, "");
    let _verifier = Verifier::start(&scene, &[]).await;
    let account = scene
        .account_once("has a record of use", |account| {
            account.status.as_ref().is_some_and(|status| status.usage_recorded_since.is_some())
        })
        .await;
    let since = account.status.unwrap().usage_recorded_since;
    let key = scene
        .key_once("ci-key", "says since when", |key| {
            key.status.as_ref().unwrap().usage_recorded_since == since
        })
        .await;
    assert_eq!(key.status.unwrap().last_used_at, None);
    scene
        .service_account_once("ci", "says since when", |object: &ServiceAccount| {
            object.status.as_ref().is_some_and(|status| status.usage_recorded_since == since)
        })
        .await;
    for kind in ["kwkey", "kwsa", "accounts.iam.keyward.dev"] {
        let table = scene.kubectl_text(&["get", kind, "-o", "wide"]);
        assert!(table.contains("USE RECORDED"), "{table}");
    }

    // What the controller writes of the account later leaves it alone.
    scene.issued("other").await;
    scene
        .account_once("shows both", |account| {
            let status = account.status.as_ref().unwrap();
            status.snapshot.as_ref().is_some_and(|snapshot| snapshot.service_accounts.len() == 2)
                && status.usage_recorded_since == since
        })
        .await;
}

#[tokio::test]
async fn a_policy_is_checked_and_takes_who_governs_the_account() {
    let (scene, _controller) = Scene::with_controller("policy").await;
    scene.service_account("ci").await;
    scene.service_account_when("ci", "Admitted").await;
    policy(&scene, Some(json!({"warnAfter": "P30D", "deactivateAfter": "P30D"}))).await;
    scene
        .account_once("says what is wrong", |account| {
            let conditions =
                account.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
            conditions
                .iter()
                .any(|c| c.type_ == "Stalled" && c.message.contains("the warning must come first"))
        })
        .await;
    policy(&scene, Some(json!({"warnAfter": "P30D", "deactivateAfter": "P60D"}))).await;
    scene
        .account_once("has it in force", |account| {
            let conditions =
                account.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
            let words = "unused keys are warned about after P30D and switched off after P60D";
            conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True" && c.message.contains(words))
        })
        .await;
    let bad = scene.kubectl(&[
        "patch",
        "accounts.iam.keyward.dev",
        "account",
        "--type=merge",
        "-p",
        r#"{"spec":{"unusedAccessKeys":{"warnAfter":"ninety days"}}}"#,
    ]);
    let said = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert!(!bad.status.success() && said.contains("spec.unusedAccessKeys.warnAfter"), "{said}");

    let role = ["create", "role", "editor", "--verb=get,patch", "--resource=accounts.iam.keyward.dev"];
    scene.kubectl_text(&role);
    scene.kubectl_text(&["create", "rolebinding", "editor", "--role=editor", "--user=erin"]);
    let output = scene.kubectl_as(
        "erin",
        &[
            "patch",
            "accounts.iam.keyward.dev",
            "account",
            "--type=merge",
            "-p",
            r#"{"spec":{"unusedAccessKeys":{"warnAfter":"P1D"}}}"#,
        ],
    );
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("may not set or change spec.unusedAccessKeys of Account.iam.keyward.dev"),
        "{said}"
    );
}
