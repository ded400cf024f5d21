//! What is said where the cluster, the kinds or the configuration are not there. It takes a control plane of
//! its own, on which nothing is installed.

use std::process::{Command, Output};

use keyward_dev::{ControlPlane, Options};

use super::super::support::run_with;
use super::{PROGRAM, failed};

fn keyward(kubeconfig: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env("KUBECONFIG", kubeconfig).env("HOME", "/nonexistent");
    run_with(command, "")
}

#[tokio::test]
async fn a_cluster_without_the_kinds_or_no_cluster_at_all_is_said_with_what_to_do() {
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    let kubeconfig = plane.kubeconfig_path().to_str().unwrap().to_owned();
    let nobody = plane.kubeconfig_for_token("nobody", "x").unwrap();
    // The control plane takes its own with it when it ends.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("kubeconfig");
    let server = plane.server().to_owned();
    let missing = format!(
        "error: the cluster at {server} does not serve iam.keyward.dev/v1alpha1; install Keyward with its Helm chart, or \
         the kinds alone with: keyward crds | kubectl apply --server-side -f -\n"
    );
    for arguments in [
        &[][..],
        &["-A"],
        &["describe", "ci"],
        &["audit", "ci", "--follow"],
        &["create", "ci"],
        &["key", "create", "deploy", "--service-account", "ci"],
        &["key", "rotate", "deploy"],
        &["deactivate", "ci"],
        &["who-can", "ci"],
        &["expiring"],
    ] {
        failed(&keyward(&kubeconfig, arguments), 1, &missing);
    }
    let words = format!("error: the cluster at {server} does not know you (Unauthorized); log in again\n");
    failed(&keyward(nobody.to_str().unwrap(), &[]), 1, &words);
    failed(
        &keyward(&kubeconfig, &["--context", "prod"]),
        1,
        "error: the kubeconfig has no context \"prod\"; it has: keyward-dev\n",
    );
    std::fs::copy(&kubeconfig, &copy).unwrap();
    plane.stop().await.unwrap();

    let words = format!("error: cannot reach the cluster at {server}: Connection refused");
    failed(&keyward(copy.to_str().unwrap(), &[]), 1, &words);
    let words = "error: no cluster is configured: set KUBECONFIG or --kubeconfig, or make ~/.kube/config";
    failed(&keyward("", &[]), 1, words);
    failed(&keyward("", &["--kubeconfig", "/nonexistent/config"]), 1, words);

    // A manifest takes no cluster.
    let output = keyward("", &["create", "ci", "--dry-run=client", "-o", "yaml"]);
    assert!(super::done(&output).contains("\n  namespace: default\n"));
}
