//! Who else on the machine can look into the programs' memory.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use keyward_dev::PATIENCE;
use serde_json::json;

/// The user that the chart runs the pods as.
const USER: u32 = 65532;

/// A running process; it ends with the test.
struct Running(Child);

impl Running {
    /// Starts it as a user that is not root: root may look into everything.
    fn start(command: &mut Command) -> Self {
        if rustix::process::geteuid().is_root() {
            command.uid(USER).gid(USER);
        }
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Who owns its memory, by the file that stands for it.
    fn owner_of_memory(&self) -> u32 {
        Path::new("/proc").join(self.0.id().to_string()).join("mem").metadata().unwrap().uid()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which the test then says.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The kernel gives the files of a process that may not be dumped to root.
#[test]
fn not_even_their_own_user_can_read_the_memory_of_controller_and_verifier() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("keyward");
    std::fs::copy(env!("CARGO_BIN_EXE_keyward"), &program).unwrap();
    // It takes connections and never answers, so that the programs wait.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let server = format!("http://{}", silent.local_addr().unwrap());
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": ""}}],
    });
    std::fs::write(&kubeconfig, config.to_string()).unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();

    let other = Running::start(Command::new("sleep").arg("600"));
    assert_ne!(other.owner_of_memory(), 0, "otherwise this test proves nothing");
    for subcommand in ["controller", "verifier"] {
        let mut command = Command::new(&program);
        command.args([subcommand, "--health-address", "127.0.0.1:0"]).env("KUBECONFIG", &kubeconfig);
        let running = Running::start(&mut command);
        let started = Instant::now();
        while running.owner_of_memory() != 0 {
            assert!(started.elapsed() < PATIENCE, "the memory of the {subcommand} can be read");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
