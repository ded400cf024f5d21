//! What the tests share: what is left of a control plane, and the clients to ask it.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use keyward_dev::PATIENCE;
use rustix::process::Pid;

const INTERVAL: Duration = Duration::from_millis(20);

/// The processes with the folder on their command line: number and command line.
pub(crate) fn processes_of(folder: &Path) -> Vec<(Pid, String)> {
    let folder = folder.display().to_string();
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let entry = entry.unwrap();
        let pid = entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw)?;
        // A process that ends meanwhile has no command line.
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        Some((pid, String::from_utf8_lossy(&line).replace('\0', " ")))
    });
    processes.filter(|(_, line)| line.contains(&folder)).collect()
}

/// Fails when a process or a folder is left.
pub(crate) fn assert_nothing_left(folder: &Path) {
    assert_eq!(processes_of(folder), []);
    assert!(!folder.exists(), "{} is left", folder.display());
}

/// The control planes' folders in a folder for temporary files.
pub(crate) fn left_in(temp: &Path) -> Vec<String> {
    fs::read_dir(temp).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Asks until it is true, and fails when it takes too long.
pub(crate) fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(INTERVAL);
    }
}

/// Runs `kubectl` and gives its output, which must be a success.
pub(crate) fn kubectl(program: &Path, kubeconfig: &Path, args: &[&str]) -> String {
    succeed(Command::new(program).arg("--kubeconfig").arg(kubeconfig).args(args))
}

/// Runs the command and gives its standard output; fails when the command does.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// How the command ended, with what it wrote: exit code, standard output, standard error.
pub(crate) fn outcome(output: &Output) -> (Option<i32>, String, String) {
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
