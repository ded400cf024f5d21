//! A settled cluster sees no write, and a restart none either: counted in the API server's own audit log.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use keyward::api::{AccessKey, Account, ServiceAccount};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::support::{Controller, Flags, Scene};

const QUIET: Duration = Duration::from_secs(30);

/// Writes of the scene's controllers, as `verb resource/name`. Access reviews store nothing and do not count.
fn writes(scene: &Scene) -> Vec<String> {
    let log = std::env::var_os("KEYWARD_DEV_AUDIT_LOG").map(PathBuf::from);
    let log =
        std::fs::read_to_string(log.expect("the control plane keeps an audit log (`dev with --audit-log`)"))
            .unwrap();
    let user = format!("system:serviceaccount:{}:keyward-controller", scene.namespace);
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["user"]["username"] == json!(user) && event["stage"] == "ResponseComplete")
        .filter(|event| ["create", "update", "patch", "delete"].iter().any(|verb| event["verb"] == *verb))
        .filter(|event| event["objectRef"]["apiGroup"] != "authorization.k8s.io")
        .map(|event| {
            format!("{} {}/{}", event["verb"], event["objectRef"]["resource"], event["objectRef"]["name"])
        })
        .collect()
}

fn copy(name: &str, namespace: Option<&str>) -> Value {
    let mut copy = json!({"name": name, "data": {"key": "$(token)"}});
    if let Some(namespace) = namespace {
        copy["namespace"] = json!(namespace);
    }
    copy
}

async fn versions(scene: &Scene) -> BTreeMap<String, Option<String>> {
    let mut all = BTreeMap::new();
    for key in scene.keys().await {
        all.insert(format!("key {}", key.name_any()), key.resource_version());
    }
    for name in ["ci", "off"] {
        all.insert(
            format!("service account {name}"),
            scene.get::<ServiceAccount>(name).await.resource_version(),
        );
    }
    all.insert("account".into(), scene.get::<Account>("account").await.resource_version());
    for secret in scene.secrets().await {
        all.insert(format!("secret {}", secret.name_any()), secret.resource_version());
    }
    all
}

#[tokio::test]
async fn a_settled_cluster_sees_no_write_in_thirty_seconds_restart_included() {
    let scene = Scene::new("settled").await;
    let flags = || Flags { no_quota: true, ..Flags::default() };
    let mut controller = Controller::start(&scene, flags()).await;
    scene.limits(json!({"minValidFor": "PT1S", "accessKeysPerServiceAccount": 9})).await;
    let user = |name: &str| json!([{"kind": "User", "name": name}]);
    scene.set::<Account>("account", json!({"superAdmins": user("sue"), "iamAdmins": user("ian")})).await;
    scene.service_account("ci").await;
    scene.service_account("off").await;
    scene.key("of-off", "off").await;
    scene.key_when("of-off", "Issued").await;
    scene.set::<ServiceAccount>("off", json!({"state": "Inactive"})).await;
    scene.set::<ServiceAccount>("ci", json!({"admins": user("alice")})).await;
    let grant = json!({"serviceAccountName": "ci", "resource": {"category": "App", "name": "books"}, "role": "Viewer"});
    let grant = keyward::api::ResourceGrant::new("books", crate::support::from_json(grant));
    scene.api().create(&kube::api::PostParams::default(), &grant).await.unwrap();
    scene.kubectl_text(&["create", "secret", "generic", "theirs", "--from-literal=password=x"]);
    for name in
        ["issued", "inactive", "rotating", "missing", "out-of-range", "published", "in-conflict", "refused"]
    {
        let account = if name == "missing" { "nobody" } else { "ci" };
        let spec = match name {
            "rotating" => json!({"validFor": "P6M", "rotation": {"renewBefore": "P7D", "overlap": "P1D"}}),
            "out-of-range" => json!({"validFor": "P3Y"}),
            "published" => json!({"validFor": "P6M", "publish": [copy("copy", None)]}),
            "in-conflict" => json!({"validFor": "P6M", "publish": [copy("theirs", None)]}),
            "refused" => json!({"validFor": "P6M", "publish": [copy("far", Some("default"))]}),
            _ => json!({"validFor": "P6M"}),
        };
        scene.key_with(name, account, spec).await;
    }
    scene.key_with("expired", "ci", json!({"validFor": "PT1S"})).await;
    scene.key_when("issued", "Issued").await;
    scene.set::<AccessKey>("inactive", json!({"state": "Inactive"})).await;
    for (name, reason) in [
        ("issued", "Issued"),
        ("inactive", "Inactive"),
        ("rotating", "Issued"),
        ("missing", "ServiceAccountNotFound"),
        ("out-of-range", "ExpiryOutOfRange"),
        ("expired", "Expired"),
        ("published", "Issued"),
        ("in-conflict", "PublishConflict"),
        ("refused", "PublishNotAccepted"),
        ("of-off", "ServiceAccountInactive"),
    ] {
        scene.key_when(name, reason).await;
    }
    scene
        .service_account_once("ci", "counts its keys", |object| {
            let keys = object.status.as_ref().and_then(|status| status.keys.clone()).unwrap_or_default();
            (keys.total, keys.active, keys.inactive, keys.expired, keys.rejected) == (8, 5, 1, 1, 1)
        })
        .await;
    // What was under way when the last condition was read.
    let mut before = versions(&scene).await;
    crate::support::eventually("nothing changes for three seconds", async || {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let now = versions(&scene).await;
        if now == before {
            Ok(())
        } else {
            let _: () = before = now;
            Err(())
        }
    })
    .await;

    let written = writes(&scene);
    assert!(written.len() > 10, "the audit log is read rightly: {written:?}");
    tokio::time::sleep(QUIET / 2).await; // The absence of writes takes time to see.
    assert!(controller.terminate().success());
    let _again = Controller::start(&scene, flags()).await;
    tokio::time::sleep(QUIET / 2).await;
    assert_eq!(writes(&scene)[written.len()..], [] as [String; 0]);
    assert_eq!(versions(&scene).await, before);
}
