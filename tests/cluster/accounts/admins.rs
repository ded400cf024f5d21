//! Admins as the controller binds them: what they may do, and that no path leads further.

use k8s_openapi::api::rbac::v1::Role;
use keyward::api::{AccessKey, Account, ServiceAccount};
use serde_json::{Value, json};

use crate::admission::{create_as, create_key_as, may, patch_as, refused};
use crate::support::{Scene, eventually, text};

fn user(name: &str) -> Value {
    json!({"kind": "User", "name": name})
}

/// Two service accounts with a key each, of which alice administers `ci`.
async fn administered(name: &str) -> (Scene, crate::support::Controller) {
    let (scene, controller) = Scene::with_controller(name).await;
    for name in ["ci", "other"] {
        scene.service_account(name).await;
        scene.key(&format!("{name}-key"), name).await;
        scene.key_when(&format!("{name}-key"), "Issued").await;
    }
    scene.set::<ServiceAccount>("ci", json!({"admins": [user("alice")]})).await;
    bound(&scene, "ci", Some("User/alice")).await;
    readable(&scene, "alice", "ci-key", true).await;
    (scene, controller)
}

async fn bound(scene: &Scene, name: &str, admins: Option<&str>) {
    let is_so = |object: &ServiceAccount| {
        object.status.as_ref().and_then(|status| status.admin_names.as_deref()) == admins
    };
    scene.service_account_once(name, &format!("is administered by {admins:?}"), is_so).await;
}

async fn readable(scene: &Scene, user: &str, secret: &str, is: bool) {
    eventually(&format!("{user} may read {secret}: {is}"), async || {
        let answer = scene.kubectl_as(user, &["get", "secret", secret, "-o", "name"]);
        if answer.status.success() == is { Ok(()) } else { Err(answer) }
    })
    .await;
}

#[tokio::test]
async fn an_admin_manages_one_service_account_and_its_keys_and_reads_their_secrets_and_no_others() {
    let (scene, _controller) = administered("admin").await;
    for patch in [json!({"spec": {"state": "Inactive"}}), json!({"spec": {"state": "Active"}})] {
        text(&patch_as(&scene, "alice", "kwsa/ci", &patch));
    }
    scene.key_when("ci-key", "Issued").await;
    text(&patch_as(&scene, "alice", "kwkey/ci-key", &json!({"spec": {"state": "Inactive"}})));
    text(&patch_as(&scene, "alice", "kwkey/ci-key", &json!({"spec": {"state": "Active"}})));
    text(&create_key_as(&scene, "alice", "second", "ci"));
    scene.key_when("second", "Issued").await;
    readable(&scene, "alice", "second", true).await;
    text(&scene.kubectl_as("alice", &["delete", "kwkey", "second"]));

    readable(&scene, "alice", "other-key", false).await;
    refused(&scene.kubectl_as("alice", &["get", "secrets"]), "cannot list resource \"secrets\"");
    refused(&create_key_as(&scene, "alice", "third", "other"), "may not create");
    refused(
        &patch_as(&scene, "alice", "kwkey/other-key", &json!({"spec": {"state": "Inactive"}})),
        "may not change",
    );
    refused(&scene.kubectl_as("alice", &["delete", "kwkey", "other-key"]), "may not delete");
    refused(&patch_as(&scene, "alice", "kwsa/other", &json!({"spec": {"state": "Inactive"}})), "cannot get");
    refused(&create_as(&scene, "alice", "ServiceAccount", "mine", &json!({})), "cannot create");
    refused(&scene.kubectl_as("alice", &["delete", "kwsa", "ci"]), "cannot delete");
    let more = json!({"spec": {"admins": [user("alice"), user("mallory")]}});
    refused(&patch_as(&scene, "alice", "kwsa/ci", &more), "may not set or change spec.admins");
    refused(
        &scene.kubectl_as("alice", &["delete", "role", "keyward:ci:admin"]),
        "cannot delete resource \"roles\"",
    );
    let grant = json!({
        "serviceAccountName": "ci", "resource": {"category": "App", "name": "books"}, "role": "Admin",
    });
    refused(&create_as(&scene, "alice", "ResourceGrant", "more", &grant), "cannot create");
}

#[tokio::test]
async fn one_person_may_administer_many_and_ends_where_the_manifest_ends_it() {
    let (scene, _controller) = administered("many-admin").await;
    scene.set::<ServiceAccount>("other", json!({"admins": [user("alice"), user("bob")]})).await;
    bound(&scene, "other", Some("User/alice, User/bob")).await;
    readable(&scene, "alice", "other-key", true).await;
    readable(&scene, "bob", "other-key", true).await;
    readable(&scene, "bob", "ci-key", false).await;

    scene.set::<ServiceAccount>("ci", json!({"admins": null})).await;
    bound(&scene, "ci", None).await;
    readable(&scene, "alice", "ci-key", false).await;
    refused(&create_key_as(&scene, "alice", "late", "ci"), "may not create");
    let object = scene.get::<ServiceAccount>("ci").await;
    let log = object.status.unwrap().audit_log;
    let told: Vec<(&str, &str)> = log
        .iter()
        .filter(|entry| entry.reason == "AdminsChanged")
        .map(|entry| (entry.actor.as_str(), entry.message.as_str()))
        .collect();
    let administrator = scene.me();
    assert_eq!(
        told,
        [
            (administrator.as_str(), "Service account has no admins of its own any more"),
            (administrator.as_str(), "Service account is now managed by User/alice"),
        ]
    );
    eventually("the Role is gone", async || {
        match scene.api::<Role>().get_opt("keyward:ci:admin").await.unwrap() {
            None => Ok(()),
            role => Err(role),
        }
    })
    .await;
}

#[tokio::test]
async fn a_role_or_binding_that_somebody_changed_is_put_right() {
    let (scene, _controller) = administered("repaired-role").await;
    let wide = json!({"rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]}]});
    scene.kubectl_text(&["patch", "role", "keyward:ci:admin", "--type=merge", "-p", &wide.to_string()]);
    eventually("the Role is as it was", async || {
        let role: Role = scene.get("keyward:ci:admin").await;
        let named = |rule: &k8s_openapi::api::rbac::v1::PolicyRule| {
            rule.resources.as_ref().is_some_and(|of| of == &["secrets"])
                && rule.resource_names.as_ref().is_some_and(|names| names == &["ci-key"])
        };
        if role.rules.iter().flatten().any(named) { Ok(()) } else { Err(role) }
    })
    .await;
    scene.kubectl_text(&["delete", "rolebinding", "keyward:ci:admin"]);
    readable(&scene, "alice", "ci-key", true).await;
}

#[tokio::test]
async fn no_key_makes_a_secret_readable_that_is_not_its_own() {
    let (scene, _controller) = administered("no-reach").await;
    scene.kubectl_text(&["create", "secret", "generic", "precious", "--from-literal=password=x"]);
    let spec = json!({"serviceAccountName": "ci", "validFor": "P6M", "secret": {"name": "precious"}});
    text(&create_as(&scene, "alice", "AccessKey", "greedy", &spec));
    scene.key_when("greedy", "SecretConflict").await;
    let others = json!({"serviceAccountName": "ci", "validFor": "P6M", "secret": {"name": "other-key"}});
    text(&create_as(&scene, "alice", "AccessKey", "sly", &others));
    scene.key_when("sly", "SecretConflict").await;
    // Its Role is written again with each new key, so a Secret of those would be in it by now.
    text(&create_key_as(&scene, "alice", "honest", "ci"));
    readable(&scene, "alice", "honest", true).await;
    readable(&scene, "alice", "precious", false).await;
    readable(&scene, "alice", "other-key", false).await;
    assert_eq!(
        scene.kubectl_text(&["get", "secret", "precious", "-o", "jsonpath={.data}"]),
        r#"{"password":"eA=="}"#
    );

    // A name that was hers, and then another's.
    text(&scene.kubectl_as("alice", &["delete", "kwkey", "honest"]));
    let taken = json!({"validFor": "P6M", "secret": {"name": "honest"}});
    scene.key_with("heir", "other", taken).await;
    scene.key_when("heir", "Issued").await;
    assert!(!scene.kubectl_as("alice", &["get", "secret", "honest"]).status.success());
}

#[tokio::test]
async fn admins_of_the_account_manage_all_service_accounts_but_read_tokens_only_by_their_name() {
    let (scene, _controller) = Scene::with_controller("account-admins").await;
    scene.service_account("ci").await;
    scene.key("deploy", "ci").await;
    scene.key_when("deploy", "Issued").await;
    let spec = json!({"superAdmins": [user("sue")], "iamAdmins": [user("ian")]});
    scene.set::<Account>("account", spec).await;
    let account = scene
        .account_once("has its admins bound", |account| {
            let status = account.status.as_ref().unwrap();
            (status.super_admins.len(), status.iam_admins.len()) == (1, 1)
        })
        .await;
    let told = account.status.unwrap().audit_log.into_iter().find(|entry| entry.reason == "AdminsChanged");
    assert_eq!(told.unwrap().message, "Super admins are now User/sue; IAM admins are now User/ian");
    for admin in ["sue", "ian"] {
        may(&scene, admin, "create", "serviceaccounts.iam.keyward.dev").await;
        text(&create_as(&scene, admin, "ServiceAccount", &format!("of-{admin}"), &json!({})));
        text(&create_key_as(&scene, admin, &format!("key-of-{admin}"), "ci"));
        scene.key_when(&format!("key-of-{admin}"), "Issued").await;
        readable(&scene, admin, "deploy", false).await;
        // Nor by a copy that they could read.
        let copy = json!({"spec": {"publish": [{"name": "copy", "data": {"key": "$(token)"}}]}});
        refused(&patch_as(&scene, admin, "kwkey/deploy", &copy), "may not set or change spec.publish");
        let template = json!({"spec": {"secret": {"annotations": {"copy-to": "elsewhere"}}}});
        refused(&patch_as(&scene, admin, "kwkey/deploy", &template), "may not set or change spec.secret");
    }
    let limits = json!({"spec": {"limits": {"serviceAccounts": 1000}}});
    refused(
        &patch_as(&scene, "sue", "accounts.iam.keyward.dev/account", &limits),
        "may not set or change spec.limits",
    );
    refused(&patch_as(&scene, "ian", "accounts.iam.keyward.dev/account", &limits), "cannot patch");

    text(&patch_as(&scene, "ian", "kwsa/ci", &json!({"spec": {"admins": [user("ian")]}})));
    readable(&scene, "ian", "deploy", true).await;
    bound(&scene, "ci", Some("User/ian")).await;
    let object = scene.get::<ServiceAccount>("ci").await;
    let log = object.status.unwrap().audit_log;
    let entry = log.iter().find(|entry| entry.reason == "AdminsChanged").unwrap();
    assert_eq!(
        (entry.actor.as_str(), entry.message.as_str()),
        ("ian", "Service account is now managed by User/ian")
    );
}

#[tokio::test]
async fn the_log_names_the_person_who_switched_and_rotated() {
    let (scene, _controller) = administered("who").await;
    text(&patch_as(&scene, "alice", "kwkey/ci-key", &json!({"spec": {"state": "Inactive"}})));
    scene.key_when("ci-key", "Inactive").await;
    text(&patch_as(&scene, "alice", "kwkey/ci-key", &json!({"spec": {"state": "Active"}})));
    scene.key_when("ci-key", "Issued").await;
    text(&patch_as(&scene, "alice", "kwkey/ci-key", &json!({"spec": {"revision": 2}})));
    let key = scene
        .key_once("ci-key", "is rotated", |key| {
            key.status.as_ref().is_some_and(|status| status.audit_log[0].reason == "Rotated")
        })
        .await;
    let told = |key: &AccessKey| -> Vec<(String, String)> {
        let log = key.status.clone().unwrap().audit_log;
        log.into_iter().map(|entry| (entry.reason, entry.actor)).collect()
    };
    let entry = |reason: &str, actor: &str| (reason.to_owned(), actor.to_owned());
    assert_eq!(
        told(&key),
        [
            entry("Rotated", "alice"),
            entry("Activated", "alice"),
            entry("Inactive", "alice"),
            entry("Issued", "controller"),
        ]
    );
    let notes =
        scene.kubectl_text(&["events", "--for", "accesskey/ci-key", "-o", "jsonpath={.items[*].message}"]);
    assert!(notes.contains("Key is inactive as requested by spec.state (by alice)"), "{notes}");
}
