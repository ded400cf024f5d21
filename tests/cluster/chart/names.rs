//! Names, labels and namespaces of what the chart makes.

use serde_json::{Value, json};

use super::{all_objects, find, objects};

/// What is the cluster's, and in no namespace.
const OF_THE_CLUSTER: [&str; 7] = [
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
];

/// Roles in the namespace of the installation, whatever is watched.
const AT_HOME: [&str; 3] = ["keyward-lease", "keyward-sealing", "keyward-verifier-sealing"];

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

/// Without what the values bring themselves.
fn own(objects: &[Value]) -> impl Iterator<Item = &Value> {
    objects.iter().filter(|object| !["keyward-extra", "keyward-text"].contains(&name(object)))
}

#[test]
fn every_object_says_what_it_is_part_of() {
    let objects = all_objects("");
    for object in own(&objects) {
        let labels = &object["metadata"]["labels"];
        let chart = concat!("keyward-", env!("CARGO_PKG_VERSION"));
        for (label, value) in [
            ("app.kubernetes.io/name", "keyward"),
            ("app.kubernetes.io/instance", "keyward"),
            ("app.kubernetes.io/version", env!("CARGO_PKG_VERSION")),
            ("app.kubernetes.io/part-of", "keyward"),
            ("app.kubernetes.io/managed-by", "Helm"),
            ("helm.sh/chart", chart),
            ("team", "platform"),
        ] {
            assert_eq!(labels[label], value, "{label} of {} {}", object["kind"], name(object));
        }
        let component = if name(object).contains("verifier") { "verifier" } else { "controller" };
        assert_eq!(labels["app.kubernetes.io/component"], component, "{}", name(object));
    }
}

#[test]
fn everything_is_in_the_namespace_that_the_values_name_but_for_rights_in_the_one_watched() {
    let objects = all_objects("");
    for object in own(&objects) {
        let (kind, namespace) = (object["kind"].as_str().unwrap(), &object["metadata"]["namespace"]);
        if OF_THE_CLUSTER.contains(&kind) {
            assert_eq!(*namespace, Value::Null, "{kind} {}", name(object));
            continue;
        }
        let watched = kind.starts_with("Role") && !AT_HOME.contains(&name(object));
        assert_eq!(*namespace, if watched { "shop" } else { "keyward-system" }, "{kind} {}", name(object));
        for subject in object["subjects"].as_array().into_iter().flatten() {
            assert_eq!(subject["namespace"], "keyward-system", "{kind} {}", name(object));
        }
    }
}

#[test]
fn names_follow_the_release_or_the_values() {
    let controller = |values: &str, wanted: &str| {
        assert!(find(&objects(values), "Deployment", wanted).is_some(), "{values}");
    };
    controller("", "keyward-controller");
    controller("nameOverride=keys", "keyward-keys-controller");
    controller("fullnameOverride=keys", "keys-controller");
    let long = "k".repeat(63);
    controller(&format!("fullnameOverride={long}"), &format!("{}-controller", "k".repeat(50)));
}

#[test]
fn further_objects_are_made_with_the_chart_and_their_templates_rendered() {
    let objects = all_objects("");
    assert_eq!(find(&objects, "ConfigMap", "keyward-extra").unwrap()["data"], json!({"greeting": "hello"}));
    assert!(find(&objects, "ConfigMap", "keyward-text").is_some());
}

/// With every number written in the same way.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        _ => value.clone(),
    }
}

#[test]
fn the_crds_are_those_of_the_crds_folder_and_stay_unless_told_otherwise() {
    for (values, kept) in [("", true), ("crds.keep=false", false)] {
        let objects = objects(values);
        let crds = objects.iter().filter(|object| object["kind"] == "CustomResourceDefinition");
        let mut count = 0;
        for crd in crds {
            count += 1;
            let file = format!("{}/crds/{}.yaml", env!("CARGO_MANIFEST_DIR"), name(crd));
            let source: Value = serde_yaml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
            // Not shown: it has hundreds of lines.
            assert!(plain(&crd["spec"]) == plain(&source["spec"]), "{}", name(crd));
            let policy = &crd["metadata"]["annotations"]["helm.sh/resource-policy"];
            assert_eq!(policy.as_str(), kept.then_some("keep"));
        }
        assert_eq!(count, 4);
    }
    assert!(
        !serde_json::to_string(&objects("crds.enabled=false")).unwrap().contains("CustomResourceDefinition")
    );
    let annotated = all_objects("");
    let crd = find(&annotated, "CustomResourceDefinition", "accesskeys.iam.keyward.dev").unwrap();
    assert_eq!(crd["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"], "-5");
}
