//! The command `dev` with real control planes: exit codes, environment, signals, and what is left after it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests may")]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use support::{left_in, outcome, processes_of, succeed, until};
use tempfile::TempDir;

/// `dev` with an own folder for temporary files, so that only its own leavings are seen.
fn dev(args: &[&str]) -> (Command, TempDir) {
    let temp = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dev"));
    command.args(args).env("TMPDIR", temp.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    (command, temp)
}

fn line(reader: &mut impl BufRead) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn assert_clean(temp: &Path) {
    assert_eq!(processes_of(temp), []);
    assert!(left_in(temp).is_empty(), "{:?}", left_in(temp));
}

#[test]
fn the_command_gets_a_cluster_and_gives_the_exit_code() {
    let script = r#"kubectl get ns && test -d "$KEYWARD_DEV_DIR" && test -s "$KEYWARD_DEV_AUDIT_LOG" &&
        test -x "$KUBEBUILDER_ASSETS/kube-apiserver" && test -z "$CARGO_MANIFEST_DIR$CARGO_PKG_NAME" && helm list && exit 42"#;
    let (mut command, temp) = dev(&["with", "--audit-log", "--", "sh", "-c", script]);
    let (code, out, err) = outcome(&command.output().unwrap());
    assert_eq!(code, Some(42), "{err}");
    assert!(out.contains("kube-system"), "{out}");
    assert_clean(temp.path());
}

#[test]
fn a_command_that_fails_or_is_missing_gives_1() {
    let (mut command, temp) = dev(&["with", "--no-controller-manager", "--", "false"]);
    assert_eq!(outcome(&command.output().unwrap()), (Some(1), String::new(), String::new()));
    assert_clean(temp.path());
    let (mut command, temp) = dev(&["with", "--no-controller-manager", "--", "no-such-command"]);
    let (code, _, err) = outcome(&command.output().unwrap());
    assert_eq!(code, Some(1));
    assert!(err.starts_with("Error: can't run no-such-command: "), "{err}");
    assert_clean(temp.path());
}

#[test]
fn a_signal_reaches_the_command() {
    let script = "trap 'kill $!; exit 5' TERM; sleep 1000 & echo ready; wait";
    let (mut command, temp) = dev(&["with", "--no-controller-manager", "--", "sh", "-c", script]);
    let mut child = command.spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut out), "ready");
    signal(&child, Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert_clean(temp.path());
}

#[test]
fn up_stays_until_it_is_interrupted() {
    let (mut command, temp) = dev(&["up"]);
    let mut child = command.spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let exports = format!("{}\n{}", line(&mut out), line(&mut out));
    let mut shell = Command::new("sh");
    let version =
        succeed(shell.arg("-c").arg(format!("{exports}\nkubectl get --raw /version; command -v helm")));
    assert!(version.contains("gitVersion"), "{version}");
    assert_eq!(processes_of(temp.path()).len(), 3);
    signal(&child, Signal::INT);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!((child.wait().unwrap().code(), rest.as_str()), (Some(0), ""));
    assert_clean(temp.path());
}

#[test]
fn a_start_can_be_interrupted() {
    let (mut command, temp) = dev(&["up"]);
    let mut child = command.spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    assert_eq!(line(&mut err), "Starting a control plane");
    until("a program has started", || !processes_of(temp.path()).is_empty());
    signal(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    assert_clean(temp.path());
}

/// The death signal needs the program `setpriv`, which is a part of every Linux of today.
#[test]
#[cfg(target_os = "linux")]
fn after_a_kill_no_program_is_left_and_the_next_start_removes_the_folder() {
    let (mut command, temp) = dev(&["up"]);
    let mut child = command.spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    assert!(line(&mut out).starts_with("export KUBECONFIG="));
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    until("the programs are gone", || processes_of(temp.path()).is_empty());
    assert_eq!(left_in(temp.path()).len(), 1);
    let mut next = Command::new(env!("CARGO_BIN_EXE_dev"));
    succeed(next.args(["with", "--no-controller-manager", "--", "true"]).env("TMPDIR", temp.path()));
    assert_clean(temp.path());
}
