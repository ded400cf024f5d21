//! A control plane of its own, for what takes programs that work in all namespaces or an API server that is
//! set up differently.

#![allow(dead_code, reason = "each test program uses what it needs")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use keyward_dev::{ControlPlane, Options, PATIENCE, TIMEOUT};

pub struct Cluster {
    pub plane: ControlPlane,
    path: OsString,
    kubeconfig: PathBuf,
}

impl Cluster {
    /// Starts one, with a kube-controller-manager.
    pub async fn start(options: Options) -> Self {
        let plane = ControlPlane::start(Options { controller_manager: true, ..options }).await.unwrap();
        let mut folders: Vec<_> = plane.assets().dirs().iter().map(|folder| folder.to_path_buf()).collect();
        folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        let (path, kubeconfig) =
            (std::env::join_paths(folders).unwrap(), Path::new(plane.kubeconfig_path()).to_path_buf());
        Self { plane, path, kubeconfig }
    }

    /// Installs the kinds, and creates namespaces.
    pub fn install(&self, namespaces: &[&str]) {
        self.kubectl(&["apply", "--server-side", "-f", "crds/"]);
        self.kubectl(&["wait", "--for=condition=Established", "crd", "--all", TIMEOUT]);
        for namespace in namespaces {
            self.kubectl(&["create", "namespace", namespace]);
        }
    }

    /// A program with the control plane's programs and kubeconfig at hand, in the project's folder.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("PATH", &self.path).env("KUBECONFIG", &self.kubeconfig);
        command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
        command
    }

    /// What kubectl prints; it must succeed.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.command("kubectl").args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub fn apply(&self, manifests: &str) {
        let file = self.kubeconfig.with_extension("manifest.yaml");
        std::fs::write(&file, manifests).unwrap();
        self.kubectl(&["apply", "-f", file.to_str().unwrap()]);
    }

    /// Starts Keyward as an administrator.
    pub fn keyward(&self, arguments: &[&str]) -> Process {
        let mut command = self.command(env!("CARGO_BIN_EXE_keyward"));
        command.args(arguments).args(["--health-address", "127.0.0.1:0"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Process::spawn(command)
    }

    /// A controller for all namespaces.
    pub fn controller(&self) -> Process {
        self.keyward(&["controller", "--leader-elect", "false"])
    }

    /// Waits for what kubectl prints of an object.
    pub async fn until(&self, arguments: &[&str], wanted: &str) {
        eventually(wanted, async || {
            let output = self.command("kubectl").args(arguments).output().unwrap();
            let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            if found == wanted { Ok(()) } else { Err(found) }
        })
        .await;
    }
}

/// Waits; what is found instead is shown when patience ends.
pub async fn eventually(wanted: &str, mut look: impl AsyncFnMut() -> Result<(), String>) {
    let start = Instant::now();
    while let Err(found) = look().await {
        assert!(start.elapsed() < PATIENCE, "{found:?}, not {wanted:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A process that ends with the test.
pub struct Process(Child);

impl Process {
    pub fn spawn(mut command: Command) -> Self {
        Self(command.spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which the test then says.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
