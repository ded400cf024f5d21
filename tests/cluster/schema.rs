//! The kinds as kubectl shows them.

use serde_json::{Value, json};

use super::support::{Scene, run, text};

const KINDS: [(&str, &str); 4] = [
    ("accounts", "Account"),
    ("serviceaccounts", "ServiceAccount"),
    ("accesskeys", "AccessKey"),
    ("resourcegrants", "ResourceGrant"),
];

/// Every field with its path and schema.
fn fields(path: &str, schema: &Value, found: &mut Vec<(String, Value)>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        found.push((path.clone(), field.clone()));
        fields(&path, field, found);
        fields(&path, &field["items"], found);
    }
}

#[tokio::test]
async fn every_field_is_explained_and_every_enum_value_with_it() {
    let scene = Scene::new("explain").await;
    for (plural, kind) in KINDS {
        let crd = scene.kubectl_text(&["get", "crd", &format!("{plural}.iam.keyward.dev"), "-o", "json"]);
        let crd: Value = serde_json::from_str(&crd).unwrap();
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        assert!(schema["description"].as_str().unwrap().len() > 60, "{kind}");
        let mut all = Vec::new();
        for part in ["spec", "status"] {
            fields(part, &schema["properties"][part], &mut all);
        }
        assert!(all.len() > 10);
        for (path, field) in all {
            let description = field["description"].as_str().unwrap_or_default();
            assert!(description.len() >= 20, "{kind} {path} has no description");
            let values = field["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
            for value in values {
                assert!(description.contains(value), "{kind} {path} does not explain {value}");
            }
        }
    }
    let explained = scene.kubectl_text(&["explain", "kwkey.spec.validFor"]);
    let explained = explained.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(explained.contains("as an ISO 8601 duration with calendar months, such as P6M"), "{explained}");
}

#[tokio::test]
async fn the_core_service_account_keeps_its_names() {
    let (scene, _controller) = Scene::with_controller("core").await;
    scene.service_account("ours").await;
    scene.service_account_when("ours", "Admitted").await;
    scene.kubectl_text(&["create", "serviceaccount", "core"]);
    for word in ["sa", "serviceaccount", "serviceaccounts"] {
        let found = scene.kubectl_text(&["get", word, "-o", "name"]);
        assert!(
            found.contains("serviceaccount/core") && !found.contains("iam.keyward.dev"),
            "{word}: {found}"
        );
    }
    for word in ["kwsa", "serviceaccounts.iam.keyward.dev"] {
        assert_eq!(
            scene.kubectl_text(&["get", word, "-o", "name"]),
            "serviceaccount.iam.keyward.dev/ours\n",
            "{word}"
        );
    }
    for (plural, _) in KINDS {
        let name = format!("{plural}.iam.keyward.dev");
        let accepted = r#"jsonpath={.status.conditions[?(@.type=="NamesAccepted")].status}"#;
        assert_eq!(text(&run("kubectl", &["get", "crd", &name, "-o", accepted], "")), "True", "{name}");
    }
}

#[tokio::test]
async fn tables_show_what_a_person_asks_first() {
    let (scene, _controller) = Scene::with_controller("tables").await;
    scene.service_account("ci").await;
    scene.key("deploy", "ci").await;
    let key = scene.key_when("deploy", "Issued").await;
    scene
        .service_account_once("ci", "counts its key", |o| {
            o.status.as_ref().and_then(|s| s.keys.as_ref()).is_some_and(|k| k.active == 1)
        })
        .await;
    let rows = |arguments: &[&str]| -> Vec<Vec<String>> {
        let table = scene.kubectl_text(arguments);
        let split = |line: &str| {
            line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
        };
        table.lines().map(split).collect()
    };
    let keys = rows(&["get", "kwkey"]);
    assert_eq!(
        keys[0],
        ["NAME", "SERVICE ACCOUNT", "STATE", "READY", "REASON", "EXPIRES", "LAST USED", "AGE"]
    );
    let expires = key.status.unwrap().token.unwrap().expires_at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert_eq!(keys[1][..6], ["deploy", "ci", "Active", "True", "Issued", expires.as_str()]);
    let wide = rows(&["get", "kwkey", "-o", "wide"]);
    assert_eq!(wide[0][8..], ["KEY ID", "SECRET", "USE RECORDED", "MESSAGE"]);
    let accounts = rows(&["get", "kwsa"]);
    assert_eq!(
        accounts[0],
        ["NAME", "DISPLAY NAME", "STATE", "KEYS", "ACTIVE", "RESOURCES", "LAST ACCESSED", "READY", "AGE"]
    );
    assert_eq!(accounts[1][..5], ["ci", "ci", "Active", "1", "1"]);
    let account = rows(&["get", "accounts.iam.keyward.dev"]);
    assert_eq!(
        account[0],
        [
            "NAME",
            "DISPLAY NAME",
            "SERVICE ACCOUNTS",
            "LIMIT",
            "REJECTED",
            "KEYS",
            "ACTIVE KEYS",
            "READY",
            "AGE"
        ]
    );
    let all = scene.kubectl_text(&["get", "keyward", "-o", "name"]);
    for name in [
        "account.iam.keyward.dev/account",
        "serviceaccount.iam.keyward.dev/ci",
        "accesskey.iam.keyward.dev/deploy",
    ] {
        assert!(all.contains(name), "{all}");
    }
}

#[tokio::test]
async fn keys_are_selected_on_the_server() {
    let scene = Scene::new("selected").await;
    for (name, account) in [("a", "one"), ("b", "two")] {
        scene.key(name, account).await;
    }
    scene.key_with("c", "one", json!({"validFor": "P6M", "state": "Inactive"})).await;
    let select =
        |selector: &str| scene.kubectl_text(&["get", "kwkey", "-o", "name", "--field-selector", selector]);
    assert_eq!(select("spec.serviceAccountName=two"), "accesskey.iam.keyward.dev/b\n");
    assert_eq!(select("spec.serviceAccountName=one,spec.state=Inactive"), "accesskey.iam.keyward.dev/c\n");
}

#[tokio::test]
async fn events_are_found_by_kubectl() {
    let (scene, _controller) = Scene::with_controller("events").await;
    scene.service_account("ci").await;
    scene.kubectl_text(&["create", "serviceaccount", "ci"]);
    scene.key("deploy", "ci").await;
    scene.key_when("deploy", "Issued").await;
    let events = scene.kubectl_text(&["events", "--for", "accesskey/deploy"]);
    assert!(events.contains("Issued") && events.contains("AccessKey/deploy"), "{events}");
    let described = scene.kubectl_text(&["describe", "kwsa", "ci"]);
    assert!(
        described.contains("Admitted") && described.contains("iam.keyward.dev/controller"),
        "{described}"
    );
}
