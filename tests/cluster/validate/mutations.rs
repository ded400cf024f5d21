//! Good manifests with something changed at random: the check and the API server's dry run accept and refuse
//! the same ones, and refuse them for the same fields.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::{StreamExt as _, stream};
use keyward::validate::Checker;
use kube::client::Body;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use super::{alike, as_the_api_server, check, of_the_api_server};
use crate::support::Scene;

/// How many manifests are tried; `KEYWARD_CASES` tries others, and as many as it says.
const CASES: usize = 250;

fn good() -> Vec<(&'static str, Value)> {
    let full_key = json!({
        "serviceAccountName": "ci", "displayName": "Deploy", "description": "d", "validFor": "P6M", "state": "Active",
        "revision": 3, "rotation": {"renewBefore": "P14D", "overlap": "P7D"},
        "secret": {
            "name": "ci-key", "labels": {"team": "shop", "example.com/a": "b"}, "annotations": {"note": "x"},
            "data": {"password": "$(token)", "user": "$(serviceAccount)"},
        },
        "publish": [
            {"name": "one", "type": "nginx.org/apikey", "labels": {"a": "b"}, "data": {"k": "$(token)"}},
            {"name": "two", "namespace": "other", "annotations": {"a": "b"}, "data": {"k": "$(previousToken)"}},
        ],
    });
    vec![
        ("accesskeys", full_key),
        ("accesskeys", json!({"serviceAccountName": "ci", "expiresAt": "2027-12-31T00:00:00Z"})),
        (
            "serviceaccounts",
            json!({
                "displayName": "CI", "icon": "Build", "description": "d", "state": "Inactive",
                "admins": [
                    {"kind": "User", "name": "alice"}, {"kind": "Group", "name": "team"},
                    {"kind": "ServiceAccount", "name": "bot", "namespace": "ops"},
                ],
            }),
        ),
        (
            "resourcegrants",
            json!({
                "serviceAccountName": "ci", "role": "Member", "impersonation": "Enabled", "usage": "Integration",
                "resource": {"category": "Process", "name": "expense-claims", "displayName": "Expense claims"},
            }),
        ),
        (
            "accounts",
            json!({
                "displayName": "Shop", "superAdmins": [{"kind": "User", "name": "ann"}], "iamAdmins": [],
                "limits": {"serviceAccounts": 10, "accessKeysPerServiceAccount": 10, "minValidFor": "P6M", "maxValidFor": "P1Y"},
                "acceptSecretsFrom": ["team-a"], "unusedAccessKeys": {"warnAfter": "P90D", "deactivateAfter": "P120D"},
            }),
        ),
    ]
}

fn kind_of(plural: &str) -> &'static str {
    match plural {
        "accesskeys" => "AccessKey",
        "serviceaccounts" => "ServiceAccount",
        "resourcegrants" => "ResourceGrant",
        _ => "Account",
    }
}

/// Ways to all values in it.
fn ways(value: &Value, way: &[String], found: &mut Vec<Vec<String>>) {
    found.push(way.to_vec());
    let mut into = |name: String, value: &Value| ways(value, &[way, &[name]].concat(), found);
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| into(name.clone(), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| into(at.to_string(), value)),
        _ => {}
    }
}

fn at<'a>(value: &'a mut Value, way: &[String]) -> &'a mut Value {
    way.iter().fold(value, |value, name| match value {
        Value::Array(items) => &mut items[name.parse::<usize>().unwrap()],
        other => &mut other[name.as_str()],
    })
}

/// A value that may or may not be allowed somewhere.
fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just(String::new()),
        "[a-z]([-a-z0-9.]{0,8}[a-z0-9])?",
        "[-A-Za-z0-9_./ ]{1,12}",
        "\\PC{1,6}",
        "[🤖é]{1,3}",
        (1usize..1100).prop_map(|length| "x".repeat(length)),
        (60usize..66).prop_map(|length| "a".repeat(length)),
        (76usize..82).prop_map(|length| "é".repeat(length)),
        "P([0-9]{1,2}Y)?([0-9]{1,2}M)?([0-9]{1,2}W)?([0-9]{1,2}D)?(T[0-9]{0,3}[HMS]?)?",
        "P[0-9]{0,6}[YMWDHS]",
        "20[0-9]{2}-[0-2][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,3})?([Zz]|[+-][0-9]{2}:[0-9]{2})?",
        "(argocd.argoproj.io|kubectl.kubernetes.io|helm.sh|kubernetes.io|iam.keyward.dev|example.com)/[a-z]{0,3}",
        prop::sample::select(vec![
            "Active",
            "inactive",
            "Inactive",
            "User",
            "Group",
            "ServiceAccount",
            "Bot",
            "Key",
            "Member",
            "Admin",
            "Process",
            "App",
            "Shared",
            "Enabled",
            "account",
            "bad",
            "ci-key",
            "$(token)",
            "a $(previousToken) b",
            "$(tokens)",
            "P6M",
            "true",
            "0",
            "null",
            "Opaque",
            "one\ntwo",
            "a\tb",
        ])
        .prop_map(str::to_owned),
    ];
    let number = prop_oneof![
        (-2i64..3).prop_map(Value::from),
        (999i64..1002).prop_map(Value::from),
        (999_999i64..1_000_002).prop_map(Value::from),
        (2_147_483_646i64..2_147_483_650).prop_map(Value::from),
        Just(json!(i64::MAX)),
        Just(json!(1.5)),
        Just(json!(2.0)),
        Just(json!(1e20)),
    ];
    prop_oneof![
        6 => text.prop_map(Value::from),
        3 => number,
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!([])),
        1 => Just(json!({})),
        1 => Just(json!(["a"])),
        1 => Just(json!({"a": "b"})),
        1 => Just(json!({"name": "one", "data": {"k": "$(token)"}})),
    ]
}

#[derive(Clone, Debug)]
enum Change {
    Set(Value),
    Remove,
    Add(String, Value),
    Repeat(usize),
}

fn any_change() -> impl Strategy<Value = Change> {
    let name = prop_oneof![
        "[a-z]{1,4}",
        "[A-Za-z0-9._-]{1,5}(/[A-Za-z0-9._-]{1,5})?",
        prop::sample::select(vec![
            "name",
            "namespace",
            "labels",
            "data",
            "validFor",
            "expiresAt",
            "rotation",
            "secret",
            "argocd.argoproj.io/x",
            "a b",
            "",
            "description",
            "state",
            "overlap",
            "app.kubernetes.io/instance",
        ])
        .prop_map(str::to_owned),
    ];
    prop_oneof![
        6 => any_value().prop_map(Change::Set),
        2 => Just(Change::Remove),
        3 => (name, any_value()).prop_map(|(name, value)| Change::Add(name, value)),
        1 => (2usize..40).prop_map(Change::Repeat),
    ]
}

/// A manifest with a few changes.
fn any_manifest() -> impl Strategy<Value = (&'static str, Value)> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any_change()), 1..4);
    (prop::sample::select(good()), changes).prop_map(|((plural, spec), changes)| {
        let name = if plural == "accounts" { "account" } else { "bad" };
        let mut object = json!({
            "apiVersion": "iam.keyward.dev/v1alpha1", "kind": kind_of(plural),
            "metadata": {"name": name, "labels": {"a": "b"}, "annotations": {"a": "b"}}, "spec": spec,
        });
        for (place, change) in changes {
            let mut all = Vec::new();
            ways(&object, &[], &mut all);
            // Another name or kind would be another request.
            all.retain(|way| way.len() > 1 && *way != ["metadata", "name"]);
            let way = all[place.index(all.len())].clone();
            apply(&mut object, &way, change);
        }
        (plural, object)
    })
}

fn apply(object: &mut Value, way: &[String], change: Change) {
    match change {
        Change::Set(value) => *at(object, way) = value,
        Change::Remove => {
            let (name, parent) = way.split_last().unwrap();
            match at(object, parent) {
                Value::Object(map) => drop(map.remove(name)),
                Value::Array(items) => drop(items.remove(name.parse().unwrap())),
                _ => {}
            }
        }
        Change::Add(name, value) => match at(object, way) {
            Value::Object(map) => drop(map.insert(name, value)),
            Value::Array(items) => items.push(value),
            other => *other = Value::Object(Map::from_iter([(name, value)])),
        },
        Change::Repeat(times) => {
            if let Value::Array(items) = at(object, way) {
                let all = items.iter().cloned().cycle().take(times.min(items.len() * 40)).collect();
                *items = all;
            }
        }
    }
}

/// The fields for which the API server refuses it; none where it accepts it. An answer that names no field is
/// `?`.
async fn refused_by_the_api_server(scene: &Scene, plural: &str, object: &Value) -> BTreeSet<String> {
    let path = format!(
        "/apis/iam.keyward.dev/v1alpha1/namespaces/{}/{plural}?dryRun=All&fieldValidation=Strict",
        scene.namespace
    );
    let request = http::Request::post(path)
        .header("content-type", "application/json")
        .body(Body::from(object.to_string().into_bytes()))
        .unwrap();
    let response = scene.client.send(request).await.unwrap();
    let is_success = response.status().is_success();
    let answer: Value = serde_json::from_slice(&response.into_body().collect_bytes().await.unwrap()).unwrap();
    if is_success {
        return BTreeSet::new();
    }
    let message = answer["message"].as_str().unwrap();
    let causes = answer["details"]["causes"].as_array().into_iter().flatten();
    // One tells that others may come, and one tells again of a number that is too large.
    let is_echo = |text: &str| text.contains("were not checked") || text.contains("with format int");
    let causes = causes.filter(|cause| !is_echo(cause["message"].as_str().unwrap_or_default()));
    let named = causes.map(|cause| {
        // What is about the object as a whole has no path.
        let field = cause["field"].as_str().unwrap_or_default().replace("<nil>", "");
        format!("{} {}", cause["reason"].as_str().unwrap(), alike(&field))
    });
    let unknown = message.split("unknown field \"").skip(1);
    let unknown = unknown.map(|rest| format!("UnknownField {}", alike(rest.split_once('"').unwrap().0)));
    let all: BTreeSet<String> = named.chain(unknown).collect();
    if all.is_empty() { BTreeSet::from([format!("? {message}")]) } else { all }
}

fn refused_by_the_check(checker: &Checker, object: &Value) -> BTreeSet<String> {
    // Raw, some characters are JSON and not YAML.
    let escaped = |character: char| match character {
        '\u{7f}'..='\u{9f}' => format!("\\u{:04x}", u32::from(character)),
        other => other.to_string(),
    };
    let report = check(checker, &object.to_string().chars().map(escaped).collect::<String>());
    let found = of_the_api_server(&report).into_iter();
    found.map(|finding| format!("{} {}", finding.rule, alike(&as_the_api_server(&finding.field)))).collect()
}

/// Unknown fields, and metadata that cannot be read, keep the API server from looking further.
fn agree(server: &BTreeSet<String>, check: &BTreeSet<String>) -> bool {
    let is_unknown = |refusal: &&String| refusal.starts_with("UnknownField ");
    let wrong_types: Vec<&str> =
        check.iter().filter_map(|refusal| refusal.strip_prefix("FieldValueTypeInvalid ")).collect();
    if server.iter().any(|refusal| refusal.starts_with("? ")) {
        return check.iter().any(|refusal| refusal.contains(" metadata"));
    }
    if server.iter().any(|refusal| is_unknown(&refusal)) {
        // All that is in an object in the place of a text is unknown to the API server.
        let within = |field: &str| wrong_types.iter().any(|wrong| field.starts_with(&format!("{wrong}.")));
        let found =
            |refusal: &String| check.contains(refusal) || within(refusal.trim_start_matches("UnknownField "));
        return server.iter().all(found)
            && check.iter().filter(is_unknown).all(|refusal| server.contains(refusal));
    }
    // A list passes for a time there, and the controller cannot read it then.
    if wrong_types.contains(&"spec.expiresAt") && !server.contains("FieldValueTypeInvalid spec.expiresAt") {
        return true;
    }
    // Of a value of another type it says all that does not hold of it.
    let is_reported = |violation: &&String| {
        let (rule, field) = violation.split_once(' ').unwrap();
        rule == "FieldValueTypeInvalid" || !wrong_types.contains(&field)
    };
    server.iter().filter(is_reported).eq(check)
}

#[tokio::test]
async fn the_check_and_the_api_server_refuse_the_same_manifests_for_the_same_fields() {
    let scene = Scene::new("mutations").await;
    let checker = Arc::new(Checker::new().unwrap());
    let given = std::env::var("KEYWARD_CASES").ok().map(|cases| cases.parse().unwrap());
    let mut runner = if given.is_some() { TestRunner::default() } else { TestRunner::deterministic() };
    let strategy = any_manifest();
    let manifests: Vec<(&str, Value)> =
        (0..given.unwrap_or(CASES)).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    let (scene, count) = (&scene, manifests.len());
    let compared = stream::iter(manifests).map(async |(plural, object)| {
        let server = refused_by_the_api_server(scene, plural, &object).await;
        let check = refused_by_the_check(&checker, &object);
        let differ =
            (!agree(&server, &check)).then(|| format!("{object:#}\nserver {server:#?}\ncheck {check:#?}"));
        (server.is_empty(), differ)
    });
    let compared: Vec<(bool, Option<String>)> = compared.buffer_unordered(16).collect().await;
    let differences: Vec<String> = compared.iter().filter_map(|(_, differ)| differ.clone()).collect();
    assert!(differences.is_empty(), "{} of {count}:\n{}", differences.len(), differences.join("\n\n"));
    let accepted = compared.iter().filter(|(is_accepted, _)| *is_accepted).count();
    assert!(
        (count / 20..count * 19 / 20).contains(&accepted),
        "{accepted} of {count} are good: too one-sided to tell"
    );
}
