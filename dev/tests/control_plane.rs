//! Real control planes: they answer, do what they are asked for, and leave nothing.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests may")]

mod support;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};

use keyward_dev::{ControlPlane, Error, Options, TIMEOUT};
use support::{assert_nothing_left, kubectl, processes_of};

async fn start(options: Options) -> ControlPlane {
    ControlPlane::start(options).await.unwrap()
}

fn ask(control_plane: &ControlPlane, args: &[&str]) -> String {
    kubectl(control_plane.kubectl(), control_plane.kubeconfig_path(), args)
}

fn apply(control_plane: &ControlPlane, manifest: &str) {
    let mut command = Command::new(control_plane.kubectl());
    command.arg("--kubeconfig").arg(control_plane.kubeconfig_path()).args(["apply", "-f", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn two_at_once_answer_and_leave_nothing_when_stopped() {
    let (one, two) = tokio::join!(start(Options::default()), start(Options::default()));
    assert_ne!(one.server(), two.server());
    for control_plane in [&one, &two] {
        assert_eq!(ask(control_plane, &["get", "--raw", "/readyz"]), "ok");
        let namespaces = ask(control_plane, &["get", "namespaces", "--output=name"]);
        assert!(namespaces.contains("namespace/default\n"), "{namespaces}");
        assert_eq!(processes_of(control_plane.dir()).len(), 2);
        assert_eq!(control_plane.audit_log_path(), None);
    }
    for control_plane in [one, two] {
        let folder = control_plane.dir().to_owned();
        control_plane.stop().await.unwrap();
        assert_nothing_left(&folder);
    }
}

#[test]
fn a_panic_leaves_nothing() {
    let mut folder = None;
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let control_plane = start(Options { controller_manager: true, ..Options::default() }).await;
            assert_eq!(processes_of(control_plane.dir()).len(), 3);
            folder = Some(control_plane.dir().to_owned());
            panic!("on purpose");
        })
    }));
    assert!(caught.is_err());
    assert_nothing_left(&folder.unwrap());
}

#[tokio::test]
async fn a_token_authenticates() {
    let control_plane = start(Options::default()).await;
    ask(&control_plane, &["create", "serviceaccount", "robot"]);
    let token = ask(&control_plane, &["create", "token", "robot"]);
    let kubeconfig = control_plane.kubeconfig_for_token("robot", token.trim()).unwrap();
    assert_eq!(fs::metadata(&kubeconfig).unwrap().permissions().mode() & 0o777, 0o600);
    let whoami = ["auth", "whoami", "--output=jsonpath={.status.userInfo.username}"];
    let user = kubectl(control_plane.kubectl(), &kubeconfig, &whoami);
    assert_eq!(user, "system:serviceaccount:default:robot");
    assert!(matches!(control_plane.kubeconfig_for_token("../robot", "x"), Err(Error::Name { .. })));
    control_plane.stop().await.unwrap();
}

#[tokio::test]
async fn the_controllers_work_and_the_audit_log_tells_of_them() {
    let options = Options { controller_manager: true, audit_log: true, ..Options::default() };
    let control_plane = start(options).await;
    ask(&control_plane, &["create", "namespace", "short"]);
    ask(&control_plane, &["create", "configmap", "owner"]);
    let uid = ask(&control_plane, &["get", "configmap", "owner", "--output=jsonpath={.metadata.uid}"]);
    let owner = format!(r#"{{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "{uid}"}}"#);
    apply(
        &control_plane,
        &format!(
            r#"{{"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {{"name": "owned", "ownerReferences": [{owner}]}}}}"#
        ),
    );
    ask(&control_plane, &["create", "quota", "few", "--hard=configmaps=9"]);
    ask(&control_plane, &["wait", "quota/few", "--for=jsonpath={.status.used.configmaps}", TIMEOUT]);
    ask(&control_plane, &["delete", "configmap", "owner"]);
    ask(&control_plane, &["wait", "configmap/owned", "--for=delete", TIMEOUT]);
    ask(&control_plane, &["delete", "namespace", "short", TIMEOUT]);
    assert_audited(control_plane.audit_log_path().unwrap());
    control_plane.stop().await.unwrap();
}

fn assert_audited(path: &Path) {
    let log = fs::read_to_string(path).unwrap();
    let deletes: Vec<&str> =
        log.lines().filter(|line| line.contains(r#""verb":"delete""#) && line.contains("owned")).collect();
    assert_eq!(deletes.len(), 1, "{deletes:?}");
    assert!(deletes[0].contains("system:serviceaccount:kube-system:generic-garbage-collector"));
    assert!(!log.contains("RequestReceived"));
}

#[tokio::test]
async fn the_death_of_a_program_is_told() {
    let control_plane = start(Options::default()).await;
    let processes = processes_of(control_plane.dir());
    let (etcd, _) = processes.iter().find(|(_, line)| line.contains("/etcd ")).unwrap();
    rustix::process::kill_process(*etcd, rustix::process::Signal::KILL).unwrap();
    let error = control_plane.died().await.to_string();
    assert!(error.starts_with("etcd ended (signal: 9 (SIGKILL))"), "{error}");
    let folder = control_plane.dir().to_owned();
    assert!(matches!(control_plane.stop().await, Err(Error::Died { .. })));
    assert_nothing_left(&folder);
}
