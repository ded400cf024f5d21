//! The process: what it says when something is missing, its endpoints, its logs, its end.

use keyward_dev::{ControlPlane, Options};

use crate::support::{Controller, Flags, Scene, eventually, run};

#[tokio::test]
async fn missing_permissions_are_all_named_at_the_start() {
    let scene = Scene::new("forbidden").await;
    let mut controller =
        Controller::launch(&scene, Flags { without: Some("secrets"), ..Flags::default() }).await;
    assert!(!controller.exit().await.success());
    let log = controller.log();
    assert!(
        log.contains(
            "RBAC does not allow this process to: get secrets, list secrets, watch secrets, create secrets, update \
             secrets, delete secrets; see charts/keyward/files/controller-rules.yaml"
        ),
        "{log}"
    );
}

#[tokio::test]
async fn missing_crds_are_named_with_the_command_that_installs_them() {
    let plane =
        ControlPlane::start(Options { controller_manager: false, ..Options::default() }).await.unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_keyward"))
        .args(["controller", "--health-address", "127.0.0.1:0"])
        .env("KUBECONFIG", plane.kubeconfig_path())
        .output()
        .unwrap();
    plane.stop().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        errors,
        "keyward: the cluster does not serve accounts, serviceaccounts, accesskeys, resourcegrants of iam.keyward.dev; \
         install the CRDs with: keyward crds | kubectl apply --server-side -f -\n"
    );
}

#[tokio::test]
async fn without_a_cluster_it_says_how_to_name_one() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_keyward"))
        .arg("controller")
        .env_remove("KUBECONFIG")
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.starts_with("keyward: no cluster to talk to: set KUBECONFIG, or run in a pod"),
        "{errors}"
    );
}

#[tokio::test]
async fn health_metrics_logs_and_a_clean_end() {
    let (scene, mut controller) = Scene::with_controller("process").await;
    scene.service_account("ci").await;
    scene.key("deploy", "ci").await;
    scene.key_when("deploy", "Issued").await;
    assert_eq!(controller.get("livez").as_deref(), Some("ok\n"));
    assert_eq!(controller.get("readyz").as_deref(), Some("ok\n"));
    let metrics = controller.metrics();
    for line in [
        "keyward_objects{kind=\"AccessKey\",state=\"Active\"} 1",
        "keyward_audit_entries_total{reason=\"Issued\"} 1",
        "keyward_writes_total{kind=\"Secret\"} 1",
        "# EOF",
    ] {
        assert!(metrics.contains(line), "{line} in:\n{metrics}");
    }
    assert!(!metrics.contains("deploy"), "no object name in a label");
    assert!(controller.terminate().success());
    let log = controller.log();
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{log}");
}

#[tokio::test]
async fn one_bad_object_stops_nothing_else() {
    let (scene, controller) = Scene::with_controller("one-bad").await;
    scene.service_account("ci").await;
    scene.key("bad", "ci").await;
    scene.key_when("bad", "Issued").await;
    // The schema's form of a time lets this offset pass; no clock has it.
    let unreadable = r#"{"status":{"lastUsedAt":"2026-01-01T00:00:00+99:99"}}"#;
    scene.kubectl_text(&["patch", "kwkey", "bad", "--subresource=status", "--type=merge", "-p", unreadable]);
    eventually("it is told of", async || {
        let log = controller.log();
        if log.contains("an object does not parse and is left out") { Ok(()) } else { Err(log) }
    })
    .await;
    scene.key("good", "ci").await;
    scene.key_when("good", "Issued").await;
}

#[test]
fn a_wrong_flag_is_explained() {
    let output = run(env!("CARGO_BIN_EXE_keyward"), &["controller", "--concurrency", "0"], "");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("invalid value '0' for '--concurrency <NUMBER>': 0 is not in 1..=1024"),
        "{errors}"
    );
}
