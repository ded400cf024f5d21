//! Keys, service accounts and accounts: who may change which.

use keyward::api::{AccessKey, Account};
use kube::{CustomResourceExt as _, ResourceExt};
use serde_json::{Value, json};

use super::super::support::{Scene, TIMEOUT, eventually, text};
use super::{allow, bind, create_as, create_key_as, manager_of, patch_as, refused, rule};

#[tokio::test]
async fn a_manager_may_do_everything_with_the_keys_of_a_service_account_and_switch_it() {
    let scene = Scene::new("manager").await;
    scene.service_account("ci").await;
    allow(&scene, "alice", &manager_of(&["ci"])).await;

    text(&create_key_as(&scene, "alice", "deploy", "ci"));
    text(&create_key_as(&scene, "alice", "release", "ci"));
    for spec in [json!({"description": "x"}), json!({"state": "Inactive"}), json!({"state": "Active"})] {
        text(&patch_as(&scene, "alice", "kwkey/deploy", &json!({"spec": spec})));
    }
    text(&scene.kubectl_as("alice", &["label", "kwkey/deploy", "team=blue"]));
    for state in ["Inactive", "Active"] {
        text(&patch_as(&scene, "alice", "kwsa/ci", &json!({"spec": {"state": state}})));
    }
    let deleted = text(&scene.kubectl_as("alice", &["delete", "kwkey", "--all"]));
    assert_eq!(deleted.matches("deleted").count(), 2, "{deleted}");
    assert!(scene.keys().await.is_empty());
}

#[tokio::test]
async fn a_manager_may_not_touch_the_keys_of_another_service_account() {
    let scene = Scene::new("others").await;
    for name in ["ci", "build"] {
        scene.service_account(name).await;
    }
    scene.key("nightly", "build").await;
    allow(&scene, "alice", &manager_of(&["ci"])).await;
    let said = |verb: &str| {
        format!(
            "user \"alice\" may not {verb} AccessKey.iam.keyward.dev \"nightly\" of ServiceAccount.iam.keyward.dev \
             \"build\" in namespace \"{}\"; this needs the verb \"manage\" on that service account",
            scene.namespace
        )
    };
    let owned = json!({"metadata": {"ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"},
    ]}});
    let before: AccessKey = scene.get("nightly").await;
    for patch in [json!({"spec": {"state": "Inactive"}}), json!({"metadata": {"labels": {"a": "b"}}}), owned]
    {
        refused(&patch_as(&scene, "alice", "kwkey/nightly", &patch), &said("change"));
    }
    refused(&scene.kubectl_as("alice", &["delete", "kwkey", "nightly"]), &said("delete"));
    assert_eq!(before, scene.get("nightly").await);

    refused(
        &create_key_as(&scene, "alice", "mine", "build"),
        "may not create AccessKey.iam.keyward.dev \"mine\" of ServiceAccount.iam.keyward.dev \"build\"",
    );
    text(&create_key_as(&scene, "alice", "mine", "ci"));
    let elsewhere = json!({"spec": {"serviceAccountName": "build"}});
    refused(&patch_as(&scene, "alice", "kwkey/mine", &elsewhere), "may not be changed after creation");

    // The same user may manage several.
    allow(&scene, "alice", &manager_of(&["build"])).await;
    text(&patch_as(&scene, "alice", "kwkey/nightly", &json!({"spec": {"state": "Inactive"}})));
    text(&scene.kubectl_as("alice", &["delete", "kwkey", "mine", "nightly"]));
}

#[tokio::test]
async fn a_manager_may_neither_make_and_delete_service_accounts_nor_name_their_admins() {
    let scene = Scene::new("no-admin").await;
    for name in ["ci", "build"] {
        scene.service_account(name).await;
    }
    allow(&scene, "alice", &manager_of(&["ci"])).await;
    refused(&create_as(&scene, "alice", "ServiceAccount", "new", &json!({})), "cannot create resource");
    refused(&scene.kubectl_as("alice", &["delete", "kwsa", "ci"]), "cannot delete resource");
    let admins = json!({"spec": {"admins": [{"kind": "User", "name": "alice"}]}});
    refused(
        &patch_as(&scene, "alice", "kwsa/ci", &admins),
        "user \"alice\" may not set or change spec.admins of ServiceAccount.iam.keyward.dev \"ci\"",
    );

    // A role that lets her write all of them does not get her further.
    allow(&scene, "alice", &[rule("serviceaccounts", &[], &["create", "get", "patch"])]).await;
    for patch in [json!({"spec": {"state": "Inactive"}}), json!({"metadata": {"labels": {"a": "b"}}})] {
        refused(
            &patch_as(&scene, "alice", "kwsa/build", &patch),
            "user \"alice\" may not change ServiceAccount.iam.keyward.dev \"build\"",
        );
    }
    refused(
        &create_as(&scene, "alice", "ServiceAccount", "new", &admins["spec"]),
        "may not set or change spec.admins",
    );
    text(&create_as(&scene, "alice", "ServiceAccount", "new", &json!({"admins": []})));

    allow(&scene, "alice", &[rule("serviceaccounts", &["ci"], &["delegate"])]).await;
    text(&patch_as(&scene, "alice", "kwsa/ci", &admins));
    text(&patch_as(&scene, "alice", "kwsa/ci", &json!({"spec": {"admins": null}})));
}

#[tokio::test]
async fn where_the_token_goes_is_for_those_who_may_read_it() {
    let scene = Scene::new("reveal").await;
    scene.service_account("ci").await;
    let keys = rule("accesskeys", &[], &["get", "create", "update", "patch", "delete"]);
    allow(&scene, "alice", &[rule("serviceaccounts", &["ci"], &["manage"]), keys]).await;
    let secret = json!({"name": "elsewhere"});
    let publish = json!([{"name": "gateway", "data": {"key": "$(token)"}}]);
    let changes = [("secret", json!({"labels": {"a": "b"}})), ("publish", publish.clone())];
    let spec = |field: &str, value| json!({"serviceAccountName": "ci", "validFor": "P6M", field: value});

    text(&create_key_as(&scene, "alice", "plain", "ci"));
    for (field, value) in &changes {
        let said = format!("user \"alice\" may not set or change spec.{field} of AccessKey.iam.keyward.dev");
        refused(&create_as(&scene, "alice", "AccessKey", "placed", &spec(field, value.clone())), &said);
        refused(&patch_as(&scene, "alice", "kwkey/plain", &json!({"spec": {*field: value}})), &said);
    }
    scene.key_with("placed", "ci", json!({"validFor": "P6M", "secret": secret, "publish": publish})).await;
    refused(&patch_as(&scene, "alice", "kwkey/placed", &json!({"spec": {"publish": null}})), "spec.publish");
    text(&patch_as(&scene, "alice", "kwkey/placed", &json!({"spec": {"description": "x"}})));

    allow(&scene, "alice", &[rule("serviceaccounts", &["ci"], &["reveal"])]).await;
    for (number, (field, value)) in changes.iter().enumerate() {
        let name = format!("free-{number}");
        text(&create_as(&scene, "alice", "AccessKey", &name, &spec(field, value.clone())));
        text(&patch_as(&scene, "alice", "kwkey/plain", &json!({"spec": {*field: value}})));
    }
    text(&patch_as(&scene, "alice", "kwkey/placed", &json!({"spec": {"publish": null}})));
}

#[tokio::test]
async fn keys_of_an_inactive_service_account_come_and_change_with_a_warning() {
    let scene = Scene::new("inactive").await;
    let manifest = |kind: &str, name: &str, spec: &serde_json::Value| {
        let object = json!({
            "apiVersion": "iam.keyward.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
        });
        scene.kubectl_with(&["create", "-f", "-"], &object.to_string())
    };
    text(&manifest("ServiceAccount", "ci", &json!({"state": "Inactive"})));
    scene.service_account("build").await;
    let key = |service_account: &str| json!({"serviceAccountName": service_account, "validFor": "P6M"});
    let said =
        "ServiceAccount.iam.keyward.dev \"ci\" is inactive, so this takes effect once it is switched on";
    let warned = |output: &std::process::Output| {
        text(output);
        String::from_utf8_lossy(&output.stderr).contains(said)
    };
    // The API server follows service accounts by a watch, so it learns a moment later.
    let mut number = 0;
    eventually("whoever creates a key is warned", async || {
        number += 1;
        let output = manifest("AccessKey", &format!("key-{number}"), &key("ci"));
        if warned(&output) { Ok(()) } else { Err("no warning") }
    })
    .await;
    let change = json!({"spec": {"description": "x", "revision": 2}}).to_string();
    assert!(warned(&scene.kubectl(&["patch", "kwkey/key-1", "--type=merge", "-p", &change])));
    assert!(!warned(&scene.kubectl(&["label", "kwkey/key-1", "a=b"])));
    assert!(!warned(&manifest("AccessKey", "late", &key("build"))));
}

#[tokio::test]
async fn admins_of_the_account_manage_all_of_it_but_its_limits() {
    let scene = Scene::new("account-admins").await;
    bind(&scene, "sue", "keyward-super-admin").await;
    bind(&scene, "ian", "keyward-iam-admin").await;
    scene.limits(json!({"serviceAccounts": 3})).await;
    let named = json!([{"kind": "User", "name": "alice"}]);
    for user in ["sue", "ian"] {
        text(&create_as(&scene, user, "ServiceAccount", user, &json!({"admins": named})));
        text(&create_key_as(&scene, user, user, user));
        text(&patch_as(&scene, user, &format!("kwkey/{user}"), &json!({"spec": {"state": "Inactive"}})));
        text(&patch_as(&scene, user, &format!("kwsa/{user}"), &json!({"spec": {"admins": null}})));
        let seen = text(&scene.kubectl_as(user, &["get", "keyward", "-o", "name"]));
        assert!(seen.contains(&format!("accesskey.iam.keyward.dev/{user}")), "{seen}");
        refused(&scene.kubectl_as(user, &["get", "secrets"]), "cannot list resource \"secrets\"");
        let spec = json!({"serviceAccountName": user, "validFor": "P6M", "secret": {"name": "other"}});
        refused(&create_as(&scene, user, "AccessKey", "placed", &spec), "may not set or change spec.secret");
    }

    let account = "accounts.iam.keyward.dev/account";
    let spec = |field: &str, value: serde_json::Value| json!({"spec": {field: value}});
    refused(&patch_as(&scene, "ian", account, &spec("iamAdmins", named.clone())), "cannot patch resource");
    for field in ["superAdmins", "iamAdmins"] {
        text(&patch_as(&scene, "sue", account, &spec(field, named.clone())));
    }
    text(&patch_as(&scene, "sue", account, &spec("displayName", json!("Team"))));
    for (field, value) in [
        ("limits", json!({"serviceAccounts": 9})),
        ("acceptSecretsFrom", json!(["other"])),
        ("publishing", json!({"types": ["example.com/key"]})),
    ] {
        refused(
            &patch_as(&scene, "sue", account, &spec(field, value)),
            &format!(
                "user \"sue\" may not set or change spec.{field} of Account.iam.keyward.dev \"account\" in namespace \
                 \"{}\"; this needs the verb \"govern\" on it",
                scene.namespace
            ),
        );
    }

    // Who may write the account but not delegate names nobody; who may govern sets limits.
    allow(&scene, "gus", &[rule("accounts", &["account"], &["govern", "get", "patch"])]).await;
    text(&patch_as(&scene, "gus", account, &spec("limits", json!({"serviceAccounts": 9}))));
    for field in ["superAdmins", "iamAdmins"] {
        refused(
            &patch_as(&scene, "gus", account, &spec(field, json!(null))),
            &format!(
                "user \"gus\" may not set or change spec.{field} of Account.iam.keyward.dev \"account\""
            ),
        );
    }
}

#[tokio::test]
async fn editors_of_the_namespace_manage_every_key_and_name_nobody() {
    let scene = Scene::new("editor").await;
    // As the cluster's own edit role puts them together.
    scene.kubectl_text(&["create", "rolebinding", "view", "--clusterrole", "keyward-view", "--user", "eve"]);
    bind(&scene, "eve", "keyward-edit").await;
    text(&create_as(&scene, "eve", "ServiceAccount", "ci", &json!({})));
    let spec = json!({"serviceAccountName": "ci", "validFor": "P6M", "secret": {"name": "other"}});
    text(&create_as(&scene, "eve", "AccessKey", "deploy", &spec));
    text(&patch_as(&scene, "eve", "kwsa/ci", &json!({"spec": {"state": "Inactive"}})));
    text(&patch_as(&scene, "eve", "kwsa/ci", &json!({"spec": {"state": "Active"}})));
    let admins = json!({"spec": {"admins": [{"kind": "User", "name": "eve"}]}});
    refused(&patch_as(&scene, "eve", "kwsa/ci", &admins), "may not set or change spec.admins");
}

#[tokio::test]
async fn a_dry_run_is_judged_like_the_real_thing() {
    let scene = Scene::new("dry-run").await;
    scene.key("nightly", "build").await;
    allow(&scene, "alice", &manager_of(&["ci"])).await;
    let dry = |arguments: &[&str]| scene.kubectl_as("alice", &[arguments, &["--dry-run=server"]].concat());
    refused(&dry(&["label", "kwkey/nightly", "a=b"]), "may not change AccessKey");
    refused(&dry(&["delete", "kwkey/nightly"]), "may not delete AccessKey");
    text(&create_key_as(&scene, "alice", "deploy", "ci"));
    let patch = r#"{"spec":{"description":"x"}}"#;
    text(&dry(&["patch", "kwkey/deploy", "--type=merge", "-p", patch]));
    text(&dry(&["delete", "kwkey/deploy"]));
    let key: AccessKey = scene.get("deploy").await;
    assert_eq!((key.metadata.generation, key.spec.description), (Some(1), None));
}

#[tokio::test]
async fn a_namespace_with_keys_can_be_deleted() {
    let scene = Scene::new("doomed").await;
    scene.service_account("ci").await;
    for name in ["deploy", "release"] {
        scene.key(name, "ci").await;
    }
    scene.kubectl_text(&["delete", "namespace", &scene.namespace, TIMEOUT]);
    let gone = scene.kubectl(&["get", "namespace", &scene.namespace]);
    refused(&gone, "not found");
}

#[tokio::test]
async fn garbage_collection_migration_and_the_removal_of_finalizers_need_no_rights_on_a_service_account() {
    let scene = Scene::new("collected").await;
    for (name, cascade, left) in [("gone", "background", false), ("kept", "orphan", true)] {
        scene.kubectl_text(&["create", "configmap", name]);
        let uid = scene.kubectl_text(&["get", "configmap", name, "-o", "jsonpath={.metadata.uid}"]);
        let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid}]);
        let key = json!({
            "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey",
            "metadata": {"name": name, "ownerReferences": owner},
            "spec": {"serviceAccountName": "ci", "validFor": "P6M"},
        });
        text(&scene.kubectl_with(&["create", "-f", "-"], &key.to_string()));
        let cascade = format!("--cascade={cascade}");
        scene.kubectl_text(&["delete", "configmap", name, &cascade, TIMEOUT]);
        if left {
            let key: AccessKey = scene.get(name).await;
            assert_eq!(key.metadata.owner_references, None);
        } else {
            scene.kubectl_text(&["wait", "--for=delete", TIMEOUT, &format!("kwkey/{name}")]);
        }
    }

    scene.key("held", "ci").await;
    let finalizers = |names: serde_json::Value| json!({"metadata": {"finalizers": names}}).to_string();
    scene.kubectl_text(&[
        "patch",
        "kwkey/held",
        "--type=merge",
        "-p",
        &finalizers(json!(["example.com/hold"])),
    ]);
    allow(&scene, "helper", &[rule("accesskeys", &[], &["get", "patch", "delete"])]).await;
    let release = ["patch", "kwkey/held", "--type=merge", "-p", &finalizers(json!(null))];
    refused(&scene.kubectl_as("helper", &release), "may not change AccessKey");
    // A storage migration writes what is there already.
    text(&patch_as(&scene, "helper", "kwkey/held", &json!({})));
    scene.kubectl_text(&["delete", "kwkey/held", "--wait=false"]);
    text(&scene.kubectl_as("helper", &release));
    assert!(scene.keys().await.iter().all(|key| key.name_any() == "kept"));
}

#[test]
fn every_field_of_an_account_but_its_name_needs_a_verb_of_its_own() {
    let policy = include_str!("../../../charts/keyward/files/policies/accounts.yaml");
    let policy: Value = serde_yaml::from_str(policy).unwrap();
    let crd = serde_json::to_value(Account::crd()).unwrap();
    let fields = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    let mentions = |expression: &Value, word: &str| {
        expression.as_str().unwrap().split(|c: char| !c.is_alphanumeric()).any(|found| found == word)
    };
    for field in fields.as_object().unwrap().keys().filter(|field| *field != "displayName") {
        let variables = policy["spec"]["variables"].as_array().unwrap();
        let changes = variables.iter().find(|variable| mentions(&variable["expression"], field));
        let changes = changes.unwrap_or_else(|| panic!("nothing compares {field}"))["name"].as_str().unwrap();
        let validations = policy["spec"]["validations"].as_array().unwrap();
        let needs = validations.iter().any(|validation| mentions(&validation["expression"], changes));
        assert!(needs, "who may write the account may change {field}");
    }
}
