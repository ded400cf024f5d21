//! The account at a glance: its snapshot, its columns, its log, and the quota that refuses one service
//! account too many.

use std::time::Instant;

use k8s_openapi::api::core::v1::ResourceQuota;
use keyward::api::account::SnapshotItem;
use keyward::api::{Account, ServiceAccount};
use serde_json::json;

use crate::support::{Scene, eventually, text};

fn items(account: &Account) -> &[SnapshotItem] {
    let snapshot = account.status.as_ref().and_then(|status| status.snapshot.as_ref());
    snapshot.map(|snapshot| snapshot.service_accounts.as_slice()).unwrap_or_default()
}

#[tokio::test]
async fn the_snapshot_shows_every_service_account_and_the_columns_count() {
    let (scene, _controller) = Scene::with_controller("snapshot").await;
    scene.kubectl_text(&["apply", "-f", "examples/01-service-account.yaml"]);
    scene.service_account("quiet").await;
    scene.key("deploy", "ci-bot").await;
    scene.key_when("deploy", "Issued").await;
    scene.set::<ServiceAccount>("ci-bot", json!({"admins": [{"kind": "Group", "name": "platform"}]})).await;
    scene.set::<ServiceAccount>("quiet", json!({"state": "Inactive"})).await;
    let account = scene
        .account_once("shows both service accounts", |account| {
            let shown: Vec<(bool, bool)> = items(account)
                .iter()
                .map(|item| {
                    let state = item.state.map(|state| format!("{state:?}"));
                    (item.admins.is_some(), state.as_deref() == Some("Inactive"))
                })
                .collect();
            shown == [(true, false), (false, true)]
        })
        .await;
    let shown = serde_json::to_value(items(&account)).unwrap();
    assert_eq!(
        shown[0],
        json!({
            "name": "ci-bot", "displayName": "CI bot", "icon": "Build", "state": "Active", "admins": "Group/platform",
            "keys": {"total": 1, "active": 1, "inactive": 0, "expired": 0, "rejected": 0, "expiringSoon": 0},
        })
    );
    let row = scene.kubectl_text(&["get", "accounts.iam.keyward.dev", "account", "--no-headers"]);
    let words: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(words[..7], ["account", "2", "25", "0", "1", "1", "True"], "{row}");
    let row = scene.kubectl_text(&["get", "kwsa", "ci-bot", "-o", "wide"]);
    let (head, row) = row.split_once('\n').unwrap();
    for column in [
        "DISPLAY NAME",
        "STATE",
        "KEYS",
        "ACTIVE",
        "RESOURCES",
        "LAST ACCESSED",
        "READY",
        "AGE",
        "ICON",
        "ADMINS",
    ] {
        assert!(head.contains(column), "{column} in {head}");
    }
    assert!(row.contains("CI bot") && row.contains("Build") && row.contains("Group/platform"), "{row}");
}

#[tokio::test]
async fn the_snapshot_of_many_is_written_seldom_and_stays_small() {
    let (scene, controller) = Scene::with_controller("crowded").await;
    scene.limits(json!({"serviceAccounts": 1000})).await;
    let manifests: Vec<String> = (0..1000)
        .map(|n| {
            format!(
                "apiVersion: iam.keyward.dev/v1alpha1\nkind: ServiceAccount\nmetadata: {{name: bot-{n}}}\nspec: \
                 {{displayName: 'Bot number {n} of the shop'}}\n---\n"
            )
        })
        .collect();
    let started = Instant::now();
    text(&scene.kubectl_with(&["create", "-f", "-"], &manifests.concat()));
    let account = scene
        .account_once("shows all 1000 as active", |account| {
            items(account).iter().filter(|item| item.state.is_some()).count() == 1000
        })
        .await;
    let seconds = started.elapsed().as_secs();
    let size = serde_json::to_string(&account.status).unwrap().len();
    assert!(size < 900_000, "1000 service accounts take {size} bytes");
    let written: u64 = controller
        .metrics()
        .lines()
        .find_map(|line| line.strip_prefix("keyward_writes_total{kind=\"Account\"} ")?.parse().ok())
        .unwrap();
    // Seats are given in batches; the snapshot adds at most one write in three seconds.
    let batches = items(&account).len() as u64;
    assert!(written < batches / 2 + seconds, "{written} writes of the account in {seconds} s");
}

#[tokio::test]
async fn changed_limits_are_told_with_the_name_of_who_changed_them() {
    let (scene, _controller) = Scene::with_controller("policy").await;
    scene.limits(json!({"serviceAccounts": 2})).await;
    scene
        .account_once("is ready", |account| account.status.as_ref().is_some_and(|s| !s.conditions.is_empty()))
        .await;
    scene
        .set::<Account>("account", json!({"limits": {"serviceAccounts": 3}, "acceptSecretsFrom": ["team-b"]}))
        .await;
    let account = scene
        .account_once("tells of its policy", |account| {
            account.status.as_ref().is_some_and(|status| {
                status.audit_log.first().is_some_and(|entry| entry.reason == "PolicyChanged")
            })
        })
        .await;
    let entry = &account.status.unwrap().audit_log[0];
    assert_eq!(entry.actor, scene.me());
    assert_eq!(
        entry.message,
        "Limits in force: 3 service accounts, 50 access keys each, valid for P6M to P2Y; Secrets are accepted from team-b"
    );
}

#[tokio::test]
async fn a_quota_refuses_the_twenty_sixth_service_account_at_admission() {
    let (scene, _controller) = Scene::with_controller("quota").await;
    for n in 1..=25 {
        scene.service_account(&format!("bot-{n}")).await;
    }
    // It comes once the oldest is a minute old.
    let quota: ResourceQuota = eventually("the quota counts to 25", async || {
        let quota = scene.api::<ResourceQuota>().get_opt("keyward").await.unwrap();
        let used = quota.as_ref().and_then(|quota| {
            let used = quota.status.as_ref()?.used.as_ref()?;
            used.get("count/serviceaccounts.iam.keyward.dev").map(|used| used.0.clone())
        });
        quota.filter(|_| used.as_deref() == Some("25")).ok_or(used)
    })
    .await;
    assert_eq!(quota.metadata.owner_references.unwrap()[0].kind, "Account");
    let more = "apiVersion: iam.keyward.dev/v1alpha1\nkind: ServiceAccount\nmetadata: {name: bot-26}\n";
    let refused = scene.kubectl_with(&["apply", "-f", "-"], more);
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        errors.contains("exceeded quota: keyward, requested: count/serviceaccounts.iam.keyward.dev=1"),
        "{errors}"
    );

    // A raised limit raises the quota, and someone who takes it away gets it back.
    scene.limits(json!({"serviceAccounts": 26})).await;
    eventually("the 26th is let in", async || {
        let output = scene.kubectl_with(&["apply", "-f", "-"], more);
        if output.status.success() { Ok(()) } else { Err(output) }
    })
    .await;
    scene.kubectl_text(&["delete", "quota", "keyward"]);
    eventually("the quota is back", async || {
        scene.api::<ResourceQuota>().get_opt("keyward").await.unwrap().ok_or("no quota")
    })
    .await;
}
