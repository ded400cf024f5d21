//! The scripts for Argo CD: their tests, in Argo CD's own form; the `ConfigMap` that holds the same; and
//! actions on live objects.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use keyward::api::AccessKey;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Scene;
use super::checker::{Answer, Offer, ask};
use super::customizations::{KINDS, Scripts, docs, folder, names_in, read, scripts};
use super::recorded::recording;
use super::states::{STATES, State};

/// `health_test.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HealthTests {
    tests: Vec<HealthTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HealthTest {
    health_status: HealthStatus,
    input_path: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct HealthStatus {
    status: String,
    message: String,
}

/// `action_test.yaml`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ActionTests {
    discovery_tests: Vec<DiscoveryTest>,
    action_tests: Vec<ActionTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DiscoveryTest {
    input_path: String,
    result: Vec<Offer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ActionTest {
    action: String,
    input_path: String,
    expected_output_path: String,
}

fn load(path: &Path) -> Value {
    serde_yaml::from_str(&read(path)).unwrap()
}

/// What is said of the objects at the paths, which start at `folder`.
fn ask_about<'a>(folder: &Path, paths: impl Iterator<Item = &'a str>) -> Vec<Answer> {
    ask(&paths.map(|path| load(&folder.join(path))).collect::<Vec<_>>())
}

fn states_of(kind: &str) -> impl Iterator<Item = &'static State> {
    STATES.iter().filter(move |state| state.kind == kind)
}

#[test]
fn the_health_scripts_pass_their_tests_and_every_recorded_object_has_one() {
    for kind in KINDS {
        let folder = folder(kind);
        let tests: HealthTests = serde_yaml::from_str(&read(&folder.join("health_test.yaml"))).unwrap();
        let answers = ask_about(&folder, tests.tests.iter().map(|test| test.input_path.as_str()));
        for (test, answer) in tests.tests.iter().zip(&answers) {
            let found =
                HealthStatus { status: answer.argo.status.clone(), message: answer.argo.message.clone() };
            assert_eq!(found, test.health_status, "{kind} {}", test.input_path);
        }
        let tested: Vec<&str> = tests.tests.iter().map(|test| test.input_path.as_str()).collect();
        let known: Vec<String> =
            states_of(kind).map(|state| format!("testdata/{}", state.file_name())).collect();
        assert_eq!(tested, known);
        let mut known: Vec<String> = states_of(kind).map(State::file_name).collect();
        known.sort();
        assert_eq!(names_in(&folder.join("testdata")), known, "{kind}");
    }
}

#[test]
fn the_actions_pass_their_tests_and_each_of_them_has_one() {
    for kind in ["AccessKey", "ServiceAccount"] {
        let folder = folder(kind).join("actions");
        let tests = action_tests(&folder);
        let answers = ask_about(&folder, tests.discovery_tests.iter().map(|test| test.input_path.as_str()));
        for (test, answer) in tests.discovery_tests.iter().zip(&answers) {
            assert_eq!(answer.offered, test.result, "{kind} {}", test.input_path);
        }
        let offered: Vec<&String> = answers[0].offered.iter().map(|offer| &offer.name).collect();
        let scripts = scripts(kind).actions;
        assert_eq!(offered, scripts.keys().collect::<Vec<_>>(), "what is offered has a script");
        let answers = ask_about(&folder, tests.action_tests.iter().map(|test| test.input_path.as_str()));
        for (test, answer) in tests.action_tests.iter().zip(&answers) {
            let found = &answer.acted[&test.action];
            let wanted = load(&folder.join(&test.expected_output_path));
            assert_eq!((&found.object, found.error.as_str()), (&wanted, ""), "{kind} {}", test.action);
        }
        let tested: Vec<&String> = tests.action_tests.iter().map(|test| &test.action).collect();
        assert_eq!(tested, scripts.keys().collect::<Vec<_>>());
    }
}

fn action_tests(folder: &Path) -> ActionTests {
    serde_yaml::from_str(&read(&folder.join("action_test.yaml"))).unwrap()
}

#[test]
fn the_health_scripts_of_kinds_without_notices_differ_in_the_kind_alone() {
    let code = |kind: &str| {
        let script = scripts(kind).health.replace(&format!("Waiting for {kind}"), "Waiting for it");
        script.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(code("ServiceAccount"), code("ResourceGrant"));
    assert_eq!(code("Account"), code("ResourceGrant"));
}

fn config_map_path() -> PathBuf {
    docs().join("argo-cd/argocd-cm.yaml")
}

/// Writes what follows from the recorded objects and the scripts.
pub fn derive() {
    for kind in KINDS {
        fs::write(folder(kind).join("health_test.yaml"), health_tests(kind)).unwrap();
    }
    for kind in ["AccessKey", "ServiceAccount"] {
        let folder = folder(kind).join("actions");
        for ActionTest { action, input_path, expected_output_path } in action_tests(&folder).action_tests {
            let path = folder.join(expected_output_path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, changed(&folder.join(input_path), &action)).unwrap();
        }
    }
    fs::write(config_map_path(), config_map()).unwrap();
}

fn health_tests(kind: &str) -> String {
    let folder = folder(kind);
    let paths: Vec<String> = states_of(kind).map(|state| format!("testdata/{}", state.file_name())).collect();
    let answers = ask_about(&folder, paths.iter().map(String::as_str));
    let mut text = "tests:\n".to_owned();
    for (path, answer) in paths.iter().zip(&answers) {
        let message = answer.argo.message.replace('\'', "''");
        let status = &answer.argo.status;
        writeln!(
            text,
            "- healthStatus:\n    status: {status}\n    message: '{message}'\n  inputPath: {path}"
        )
        .unwrap();
    }
    text
}

/// The object in a file, with the change that an action stands for.
fn changed(path: &Path, action: &str) -> String {
    let spec = match action {
        "activate" => json!({"state": "Active"}),
        "deactivate" => json!({"state": "Inactive"}),
        "rotate" => json!({"revision": 2}),
        other => panic!("no such action: {other}"),
    };
    let mut object = load(path);
    object["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    serde_yaml::to_string(&object).unwrap()
}

/// All scripts as settings of Argo CD.
fn config_map() -> String {
    let mut text = "# Argo CD's health checks and actions for Keyward's kinds, until Argo CD brings them itself. The same as in\n\
                    # resource_customizations. Merge it into the ConfigMap of that name in Argo CD's namespace:\n\
                    #   kubectl -n argocd patch configmap argocd-cm --type=merge --patch-file docs/argo-cd/argocd-cm.yaml\n\
                    apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\ndata:\n"
        .to_owned();
    for kind in KINDS {
        let Scripts { health, discovery, actions } = scripts(kind);
        let of = |what: &str| format!("  resource.customizations.{what}.iam.keyward.dev_{kind}: |\n");
        text += &of("health");
        text += &indented(&health, 4);
        if actions.is_empty() {
            continue;
        }
        text += &of("actions");
        text += "    discovery.lua: |\n";
        text += &indented(&discovery, 6);
        text += "    definitions:\n";
        for (name, script) in actions {
            writeln!(text, "    - name: {name}\n      action.lua: |").unwrap();
            text += &indented(&script, 8);
        }
    }
    text
}

fn indented(text: &str, by: usize) -> String {
    let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("{:by$}{line}\n", "") };
    text.lines().map(line).collect()
}

/// The actions of a kind, as a setting of Argo CD.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionsSetting {
    #[serde(rename = "discovery.lua")]
    discovery: String,
    definitions: Vec<Definition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    name: String,
    #[serde(rename = "action.lua")]
    script: String,
}

#[test]
fn the_config_map_for_argo_cd_holds_the_same_scripts() {
    let file = read(&config_map_path());
    assert!(
        recording() || file == config_map(),
        "docs/argo-cd/argocd-cm.yaml is out of date; run: make record"
    );
    let settings: BTreeMap<String, String> =
        serde_json::from_value(load(&config_map_path())["data"].clone()).unwrap();
    let mut found = settings.len();
    for kind in KINDS {
        let setting =
            |what: &str| settings.get(&format!("resource.customizations.{what}.iam.keyward.dev_{kind}"));
        let health = setting("health").unwrap().clone();
        let (discovery, actions) = match setting("actions") {
            None => (String::new(), BTreeMap::new()),
            Some(text) => {
                let ActionsSetting { discovery, definitions } = serde_yaml::from_str(text).unwrap();
                found -= 1;
                (discovery, definitions.into_iter().map(|each| (each.name, each.script)).collect())
            }
        };
        assert_eq!(Scripts { health, discovery, actions }, scripts(kind), "{kind}");
        found -= 1;
    }
    assert_eq!(found, 0, "and nothing else");
}

#[tokio::test]
async fn the_config_map_is_merged_into_the_one_of_argo_cd() {
    let scene = Scene::new("argocd").await;
    let url = "https://argocd.example.com";
    scene.kubectl_text(&["create", "configmap", "argocd-cm", &format!("--from-literal=url={url}")]);
    let file = config_map_path().display().to_string();
    scene.kubectl_text(&["patch", "configmap", "argocd-cm", "--type=merge", "--patch-file", &file]);
    let merged: Value =
        serde_json::from_str(&scene.kubectl_text(&["get", "configmap", "argocd-cm", "-o", "json"])).unwrap();
    let mut wanted = load(&config_map_path())["data"].clone();
    wanted["url"] = json!(url);
    assert_eq!(merged["data"], wanted);
}

/// Does what Argo CD does at the press of a button: merges into the object what its action made of it.
fn press(scene: &Scene, resource: &str, action: &str) {
    let live: Value = serde_json::from_str(&scene.kubectl_text(&["get", resource, "-o", "json"])).unwrap();
    let answer = &ask(std::slice::from_ref(&live))[0];
    let offer = answer.offered.iter().find(|offer| offer.name == action).unwrap();
    assert!(!offer.disabled, "{resource} offers {action}");
    let mut after = answer.acted[action].object.clone();
    let patch = json!({"spec": after["spec"]}).to_string();
    after["spec"] = live["spec"].clone();
    assert_eq!(after, live, "{action} changes the spec alone");
    scene.kubectl_text(&["patch", resource, "--type=merge", "-p", &patch]);
}

#[tokio::test]
async fn the_actions_do_on_a_cluster_what_they_say() {
    let (scene, _controller) = Scene::with_controller("actions").await;
    let first = scene.issued("ci").await.sha256();
    press(&scene, "kwkey/ci-key", "rotate");
    let has_revision_2 = |key: &AccessKey| key.status.as_ref().unwrap().token.as_ref().unwrap().revision == 2;
    scene.key_once("ci-key", "is rotated", has_revision_2).await;
    assert_ne!(scene.token("ci-key").await.sha256(), first);
    press(&scene, "kwkey/ci-key", "deactivate");
    scene.key_when("ci-key", "Inactive").await;
    press(&scene, "kwkey/ci-key", "activate");
    scene.key_when("ci-key", "Issued").await;
    press(&scene, "kwsa/ci", "deactivate");
    scene.key_when("ci-key", "ServiceAccountInactive").await;
    press(&scene, "kwsa/ci", "activate");
    scene.key_when("ci-key", "Issued").await;
}
