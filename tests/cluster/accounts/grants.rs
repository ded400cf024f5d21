//! Associated resources: granted, counted, listed, filtered, and told to whoever switches their service
//! account off.

use keyward::api::{AccessKey, ServiceAccount};
use serde_json::{Value, json};

use crate::support::{Scene, TIMEOUT, eventually, text};

async fn granted(scene: &Scene) {
    scene
        .grant(
            "claims",
            "ci-bot",
            "Process",
            "expense-claims",
            json!({"impersonation": "Enabled", "usage": "Integration"}),
        )
        .await;
    scene.grant("leave", "ci-bot", "Process", "leave", json!({"usage": "Assignment"})).await;
    scene.grant("budget", "ci-bot", "Dataset", "budget", json!({"role": "Viewer"})).await;
}

async fn total(scene: &Scene, total: i32) -> ServiceAccount {
    scene
        .service_account_once("ci-bot", &format!("has {total} resources"), |object| {
            let resources = object.status.as_ref().and_then(|status| status.associated_resources.as_ref());
            resources.is_some_and(|resources| resources.total == total)
        })
        .await
}

#[tokio::test]
async fn grants_are_counted_listed_and_filtered_on_the_server() {
    let (scene, _controller) = Scene::with_controller("grants").await;
    granted(&scene).await;
    let waits =
        ["wait", "--for=jsonpath={.status.conditions[0].reason}=ServiceAccountNotFound", "kwgrant/claims"];
    scene.kubectl_text(&waits);
    scene.service_account("ci-bot").await;
    scene.kubectl_text(&["wait", "--for=condition=Ready", "kwgrant", "--all", TIMEOUT]);

    let object = total(&scene, 3).await;
    let status = serde_json::to_value(object.status.unwrap().associated_resources).unwrap();
    assert_eq!(status["impersonation"], "Enabled");
    assert_eq!(
        status["categories"],
        json!([{"category": "Process", "count": 2}, {"category": "Dataset", "count": 1}])
    );
    assert_eq!(
        status["items"][0],
        json!({
            "category": "Process", "name": "expense-claims", "role": "Member", "impersonation": "Enabled",
            "usage": "Integration",
        })
    );
    let processes = "spec.serviceAccountName=ci-bot,spec.resource.category=Process";
    let found = scene.kubectl_text(&["get", "kwgrant", "--field-selector", processes, "-o", "name"]);
    assert_eq!(
        found.lines().collect::<Vec<_>>(),
        ["resourcegrant.iam.keyward.dev/claims", "resourcegrant.iam.keyward.dev/leave"]
    );
    let row = scene.kubectl_text(&["get", "kwgrant", "claims"]);
    let words: Vec<&str> = row.lines().nth(1).unwrap().split_whitespace().take(8).collect();
    assert_eq!(
        words[..7],
        ["claims", "ci-bot", "Process", "expense-claims", "Member", "Enabled", "Integration"],
        "{row}"
    );
    scene.kubectl_text(&["delete", "kwgrant", "leave"]);
    let log = total(&scene, 2).await.status.unwrap().audit_log;
    let revoked = log.iter().find(|entry| entry.reason == "ResourceRevoked").unwrap();
    assert!(revoked.message.starts_with("Process \"leave\" is no longer granted"), "{}", revoked.message);
    let given = log.iter().filter(|entry| entry.reason == "ResourceGranted");
    assert!(given.clone().all(|entry| entry.actor == scene.me()) && given.count() == 3, "{log:#?}");
}

#[tokio::test]
async fn switching_off_tells_what_still_uses_it_stops_all_keys_and_on_restores_exactly_what_was() {
    let (scene, _controller) = Scene::with_controller("deactivated").await;
    scene.service_account("ci-bot").await;
    for name in ["one", "two", "three"] {
        scene.key(name, "ci-bot").await;
    }
    scene.key("off", "ci-bot").await;
    granted(&scene).await;
    total(&scene, 3).await;
    for name in ["one", "two", "three", "off"] {
        scene.key_when(name, "Issued").await;
    }
    scene.set::<AccessKey>("off", json!({"state": "Inactive"})).await;
    scene.key_when("off", "Inactive").await;
    let states = async || -> Vec<Value> {
        let keys = scene.keys().await.into_iter();
        let what = |key: AccessKey| {
            let status = key.status.unwrap();
            json!([
                key.metadata.name,
                key.spec,
                status.state,
                status.token,
                status.previous_token,
                status.secret_name
            ])
        };
        keys.map(what).collect()
    };
    let before = states().await;

    let off =
        scene.kubectl(&["patch", "kwsa", "ci-bot", "--type=merge", "-p", r#"{"spec":{"state":"Inactive"}}"#]);
    text(&off);
    let warning = String::from_utf8_lossy(&off.stderr).into_owned();
    for told in [
        "flows and common resources shared with it (1): Dataset \"budget\"",
        "integrations that run as it (1): Process \"expense-claims\"",
        "resources with items assigned to it (1): Process \"leave\"",
    ] {
        assert!(warning.contains(told), "{told} in {warning}");
    }
    for name in ["one", "two", "three"] {
        scene.key_when(name, "ServiceAccountInactive").await;
    }
    let change = r#"{"spec":{"description":"changed"}}"#;
    let refused = scene.kubectl(&["patch", "kwsa/ci-bot", "--type=merge", "-p", change]);
    assert!(!refused.status.success(), "it can be changed while it is off");
    scene.set::<ServiceAccount>("ci-bot", json!({"state": "Active"})).await;
    eventually("all is as it was", async || {
        let now = states().await;
        if now == before { Ok(()) } else { Err(now) }
    })
    .await;
}
