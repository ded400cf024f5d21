//! `dev assets` with an empty cache and programs that stand in for Go: what is said, and what counts as
//! built.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests may")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use support::{left_in, outcome, until};
use tempfile::TempDir;

/// `dev assets` with an empty cache in `temp`, and the Go that `go` names.
fn dev(temp: &TempDir, go: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dev"));
    let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake-go").join(go);
    command
        .arg("assets")
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", fake.display()))
        .env("XDG_CACHE_HOME", temp.path())
        .env("FAKE_GO_GATE", temp.path().join("gate"))
        .env("FAKE_GO_BUILDS", temp.path().join("builds"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn cache(temp: &TempDir) -> PathBuf {
    temp.path().join("keyward/control-plane")
}

fn stderr(child: &mut Child) -> BufReader<impl Read + use<>> {
    BufReader::new(child.stderr.take().unwrap())
}

/// Reads lines up to one that holds `text`.
fn read_to(reader: &mut impl BufRead, text: &str) {
    let found = reader.lines().map_while(Result::ok).any(|line| line.contains(text));
    assert!(found, "{text:?} never came");
}

#[test]
fn without_go_the_error_says_what_to_do() {
    let temp = tempfile::tempdir().unwrap();
    let output = dev(&temp, "old").env("PATH", temp.path()).output().unwrap();
    let message = "Error: Go 1.26 or newer is needed to build etcd, kube-apiserver, kube-controller-manager, \
                   kubectl and helm; found no Go; install it or set KUBEBUILDER_ASSETS to a folder with these \
                   programs\n";
    assert_eq!(outcome(&output), (Some(1), String::new(), message.to_owned()));
}

#[test]
fn a_go_that_is_too_old_is_named() {
    let temp = tempfile::tempdir().unwrap();
    let (code, _, err) = outcome(&dev(&temp, "old").output().unwrap());
    assert_eq!(code, Some(1));
    assert!(err.contains("found Go 1.20.14; install it"), "{err}");
}

#[test]
fn a_failed_build_shows_what_go_said_and_counts_for_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let (code, out, err) = outcome(&dev(&temp, "broken").output().unwrap());
    assert_eq!((code, out.as_str()), (Some(1), ""));
    let end = "Error: `go build` failed (exit status: 1):\n# k8s.io/kubernetes/cmd/kubectl\nmain.go:1:1: no such \
               thing\n";
    assert!(err.ends_with(end), "{err}");
    assert!(err.contains("  100% (1 of 1 packages)\n"), "{err}");
    let left = left_in(&cache(&temp));
    assert!(left.len() == 1 && left[0].contains(".lock"), "{left:?}");
}

#[test]
fn of_two_builds_at_once_the_second_waits_and_uses_the_first() {
    let temp = tempfile::tempdir().unwrap();
    let mut first = dev(&temp, "gated").spawn().unwrap();
    let mut first_err = stderr(&mut first);
    read_to(&mut first_err, "50% (1 of 2 packages)");
    let mut second = dev(&temp, "gated").spawn().unwrap();
    let mut second_err = stderr(&mut second);
    read_to(&mut second_err, "Another process is making the control plane; waiting for it");
    fs::write(temp.path().join("gate"), "").unwrap();

    let (code, out, _) = outcome(&first.wait_with_output().unwrap());
    assert_eq!(code, Some(0));
    assert_eq!(outcome(&second.wait_with_output().unwrap()), (Some(0), out.clone(), String::new()));
    assert_eq!(fs::read_to_string(temp.path().join("builds")).unwrap(), "build\n");
    let mut names = left_in(Path::new(out.trim_end()));
    names.sort();
    assert_eq!(names, ["etcd", "helm", "kube-apiserver", "kube-controller-manager", "kubectl"]);
    assert!(!left_in(&cache(&temp)).iter().any(|name| name.contains(".building")));
}

#[test]
fn a_build_that_was_killed_is_made_again() {
    let temp = tempfile::tempdir().unwrap();
    let mut killed = dev(&temp, "gated").spawn().unwrap();
    until("the build has begun", || temp.path().join("builds").exists());
    killed.kill().unwrap();
    killed.wait().unwrap();
    fs::write(temp.path().join("gate"), "").unwrap();
    let (code, _, err) = outcome(&dev(&temp, "gated").output().unwrap());
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(fs::read_to_string(temp.path().join("builds")).unwrap(), "build\nbuild\n");
}

#[test]
fn only_what_is_named_is_built() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("gate"), "").unwrap();
    let (code, out, err) = outcome(&dev(&temp, "gated").args(["kubectl", "etcd"]).output().unwrap());
    assert_eq!(code, Some(0), "{err}");
    assert!(err.starts_with("Building kubectl and etcd with Go 1.99; "), "{err}");
    let paths: Vec<&Path> = out.lines().map(Path::new).collect();
    assert!(paths[0].ends_with("kubectl") && paths[1].ends_with("etcd"), "{out}");
    let mut names = left_in(paths[0].parent().unwrap());
    names.sort();
    assert_eq!(names, ["etcd", "kubectl"]);
}

#[test]
fn a_program_that_there_is_not_is_refused_with_those_that_there_are() {
    let temp = tempfile::tempdir().unwrap();
    let (code, _, err) = outcome(&dev(&temp, "gated").arg("kubelet").output().unwrap());
    assert_eq!(code, Some(2));
    assert!(
        err.contains("[possible values: etcd, kube-apiserver, kube-controller-manager, kubectl, helm]"),
        "{err}"
    );
}

#[test]
fn only_what_is_missing_is_built() {
    let temp = tempfile::tempdir().unwrap();
    let given = temp.path().join("given");
    fs::create_dir(&given).unwrap();
    for name in ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"] {
        fs::write(given.join(name), "").unwrap();
    }
    fs::write(temp.path().join("gate"), "").unwrap();
    let (code, out, err) = outcome(&dev(&temp, "gated").env("KUBEBUILDER_ASSETS", &given).output().unwrap());
    assert_eq!(code, Some(0), "{err}");
    assert!(err.starts_with("Building helm with Go 1.99; "), "{err}");
    let folders: Vec<&str> = out.lines().collect();
    assert_eq!(folders[0], given.display().to_string());
    assert_eq!(left_in(Path::new(folders[1])), ["helm"]);
}
