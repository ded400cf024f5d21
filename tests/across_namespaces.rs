//! What reaches from one namespace into another: Secrets that a key publishes where they are accepted. It takes a
//! controller for all namespaces, and so a control plane of its own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use keyward_dev::{ControlPlane, Options};

const MANIFESTS: &str = "
apiVersion: iam.keyward.dev/v1alpha1
kind: ServiceAccount
metadata: {name: ci, namespace: team-a}
---
apiVersion: iam.keyward.dev/v1alpha1
kind: AccessKey
metadata: {name: deploy, namespace: team-a}
spec:
  serviceAccountName: ci
  validFor: P6M
  publish:
    - {name: ci-key, namespace: gateway, data: {key: $(token)}}
";

struct Cluster {
    plane: Option<ControlPlane>,
    path: std::ffi::OsString,
    kubeconfig: PathBuf,
}

impl Cluster {
    async fn start() -> Self {
        let plane =
            ControlPlane::start(Options { controller_manager: true, ..Options::default() }).await.unwrap();
        let mut folders: Vec<_> = plane.assets().dirs().iter().map(|folder| folder.to_path_buf()).collect();
        folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        let (path, kubeconfig) =
            (std::env::join_paths(folders).unwrap(), Path::new(plane.kubeconfig_path()).to_path_buf());
        let cluster = Self { plane: Some(plane), path, kubeconfig };
        cluster.kubectl(&["apply", "--server-side", "-f", "crds/"]);
        cluster.kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
        for namespace in ["team-a", "gateway"] {
            cluster.kubectl(&["create", "namespace", namespace]);
        }
        cluster
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("PATH", &self.path).env("KUBECONFIG", &self.kubeconfig);
        command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
        command
    }

    fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.command("kubectl").args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn apply(&self, manifests: &str) {
        let file = self.kubeconfig.with_extension("manifest.yaml");
        std::fs::write(&file, manifests).unwrap();
        self.kubectl(&["apply", "-f", file.to_str().unwrap()]);
    }

    fn controller(&self) -> Controller {
        let mut command = self.command(env!("CARGO_BIN_EXE_keyward"));
        command.args(["controller", "--leader-elect", "false", "--health-address", "127.0.0.1:0"]);
        Controller(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Waits for what kubectl prints of an object.
    async fn until(&self, arguments: &[&str], wanted: &str) {
        let start = Instant::now();
        loop {
            let output = self.command("kubectl").args(arguments).output().unwrap();
            let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            if found == wanted {
                return;
            }
            assert!(start.elapsed() < Duration::from_mins(1), "{arguments:?}: {found:?}, not {wanted:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn reason(&self, wanted: &str) {
        let path = "jsonpath={.status.conditions[?(@.type==\"Ready\")].reason}";
        self.until(&["-n", "team-a", "get", "kwkey", "deploy", "-o", path], wanted).await;
    }

    async fn copies(&self, wanted: &str) {
        let arguments = ["-n", "gateway", "get", "secrets", "-o", "jsonpath={.items[*].metadata.name}"];
        self.until(&arguments, wanted).await;
    }

    fn accept(&self, namespaces: &str) {
        self.apply(&format!(
            "apiVersion: iam.keyward.dev/v1alpha1\nkind: Account\nmetadata: {{name: account, namespace: gateway}}\nspec: \
             {{acceptSecretsFrom: [{namespaces}]}}\n"
        ));
    }
}

struct Controller(Child);

impl Drop for Controller {
    fn drop(&mut self) {
        // It may have ended by itself, which the test then says.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_copy_in_another_namespace_stands_as_long_as_it_is_accepted_and_its_key_is_good() {
    let mut cluster = Cluster::start().await;
    let controller = cluster.controller();
    cluster.apply(MANIFESTS);
    cluster.reason("PublishNotAccepted").await;
    cluster.copies("").await;
    cluster.accept("team-a");
    cluster.reason("Issued").await;
    cluster.copies("ci-key").await;
    cluster.accept("team-b");
    cluster.reason("PublishNotAccepted").await;
    cluster.copies("").await;
    cluster.accept("team-b, team-a");
    cluster.copies("ci-key").await;
    cluster.reason("Issued").await;

    cluster.kubectl(&["-n", "team-a", "delete", "kwkey", "deploy"]);
    cluster.copies("").await;

    // Deleted while nobody watched.
    cluster.apply(&MANIFESTS.replace("deploy", "again"));
    cluster.copies("ci-key").await;
    drop(controller);
    cluster.kubectl(&["-n", "team-a", "delete", "kwkey", "again"]);
    let _controller = cluster.controller();
    cluster.copies("").await;
    if let Some(plane) = cluster.plane.take() {
        plane.stop().await.unwrap();
    }
}
