//! Helm waits for what it installs, and not for what will never come.

use std::process::Output;
use std::time::Instant;

use serde_json::json;
use tempfile::TempDir;

use super::{PATIENCE, Scene, TIMEOUT, run, text};

const KEY: &str = "{apiVersion: iam.keyward.dev/v1alpha1, kind: AccessKey, metadata: {name: deploy},
 spec: {serviceAccountName: ci, validFor: '{{ .Values.validFor }}', revision: {{ .Values.revision }}}}";
const SERVICE_ACCOUNT: &str = "{apiVersion: iam.keyward.dev/v1alpha1, kind: ServiceAccount, metadata: {name: ci}, spec: {displayName: CI}}";
const ACCOUNT: &str = "{apiVersion: iam.keyward.dev/v1alpha1, kind: Account, metadata: {name: account},
 spec: {limits: {accessKeysPerServiceAccount: 5}}}";

fn chart(manifests: &[&str]) -> TempDir {
    let chart = tempfile::tempdir().unwrap();
    let metadata = json!({"apiVersion": "v2", "name": "shop", "version": "1.0.0"}).to_string();
    std::fs::write(chart.path().join("Chart.yaml"), metadata).unwrap();
    std::fs::write(chart.path().join("values.yaml"), "validFor: P6M\nrevision: 1\n").unwrap();
    std::fs::create_dir(chart.path().join("templates")).unwrap();
    std::fs::write(chart.path().join("templates/all.yaml"), manifests.join("\n---\n")).unwrap();
    chart
}

fn helm(scene: &Scene, arguments: &[&str]) -> Output {
    run("helm", &[&["--namespace", &scene.namespace], arguments].concat(), "")
}

fn release(scene: &Scene, verb: &str, chart: &TempDir, more: &[&str]) -> Output {
    let chart = chart.path().to_str().unwrap();
    helm(scene, &[&[verb, "shop", chart, "--wait", TIMEOUT], more].concat())
}

#[tokio::test]
async fn helm_waits_until_keys_are_ready_and_fails_at_once_where_only_a_person_can_help() {
    let (scene, _controller) = Scene::with_controller("helm").await;
    let chart = chart(&[KEY, SERVICE_ACCOUNT, ACCOUNT]);
    text(&release(&scene, "install", &chart, &[]));
    let ready = "jsonpath={.status.conditions[0].type}={.status.conditions[0].status}";
    assert_eq!(scene.kubectl_text(&["get", "kwkey", "deploy", "-o", ready]), "Ready=True");
    text(&release(&scene, "upgrade", &chart, &[]));
    assert_eq!(scene.kubectl_text(&["get", "kwkey", "deploy", "-o", "jsonpath={.metadata.generation}"]), "1");

    let started = Instant::now();
    let output = release(&scene, "upgrade", &chart, &["--set", "validFor=P3Y,revision=2"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("AccessKey"), "{said}");
    assert!(started.elapsed() < PATIENCE * 3 / 4, "it waited for what will never come: {said}");

    text(&helm(&scene, &["uninstall", "shop", "--wait", TIMEOUT]));
    assert!(scene.keys().await.is_empty());
}
