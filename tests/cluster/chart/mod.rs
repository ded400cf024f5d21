//! The chart: what it makes of its values, and what the programs say to that. What a cluster says,
//! `tests/install.rs` asks.

mod alerts;
mod dashboard;
mod monitoring;
mod names;
mod pods;
mod programs;
mod promtool;
mod rights;
mod schema;

use std::process::Output;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Container;
use serde_json::Value;

use super::support::policies::{helm, helm_template};

const WITH_TLS: &str = "verifier.tls.secretName=verifier-tls";
/// Every option that is off by default.
const ALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/keyward/ci/all-values.yaml");

/// The objects that the chart makes with these values.
fn objects(values: &str) -> Vec<Value> {
    rendered(&["--set", values])
}

/// The objects that the chart makes with every option, and these values.
fn all_objects(values: &str) -> Vec<Value> {
    rendered(&["--values", ALL, "--set", values])
}

fn rendered(arguments: &[&str]) -> Vec<Value> {
    let rendered = helm_template(arguments);
    let documents = rendered.split("\n---\n").map(|text| serde_yaml::from_str::<Value>(text).unwrap());
    documents.filter(|object| object["kind"].is_string()).collect()
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> Option<&'a Value> {
    objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
}

/// The Deployment of a process, and its one container.
fn deployed(objects: &[Value], process: &str) -> (Deployment, Container) {
    let object = find(objects, "Deployment", &format!("keyward-{process}")).expect("it is deployed");
    let deployment: Deployment = serde_json::from_value(object.clone()).unwrap();
    let mut pod = deployment.spec.clone().unwrap().template.spec.unwrap();
    assert_eq!(pod.containers.len(), 1);
    (deployment, pod.containers.remove(0))
}

fn refused(values: &str, words: &str) {
    let Output { status, stderr, .. } = helm(&["--set", values]);
    let said = String::from_utf8_lossy(&stderr);
    assert!(!status.success() && said.contains(words), "{values}: {said}");
}
