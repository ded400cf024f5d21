//! No token stands anywhere but in its Secret: searched for in all that a whole run of the tests left behind.
//! It runs after the other tests, in the same control plane (cargo runs test programs in the order of their
//! names).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::default_trait_access,
    clippy::large_futures,
    reason = "a test fails by panicking, and its cases stand in one place"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use keyward::domain::value::token::Token;

/// Everything that the API server stores, but Secrets.
fn stored() -> Vec<(String, String)> {
    let kinds = kubectl(&["api-resources", "--verbs=list", "-o", "name"]);
    kinds
        .lines()
        .filter(|kind| *kind != "secrets")
        .map(|kind| {
            (
                kind.to_owned(),
                kubectl(&["get", kind, "-A", "-o", "json", "--show-managed-fields", "--ignore-not-found"]),
            )
        })
        .collect()
}

fn kubectl(arguments: &[&str]) -> String {
    let output = Command::new("kubectl").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// All files below `folder` that processes of the run wrote, without those that `skip` names.
fn files(folder: &Path, skip: fn(&Path) -> bool, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !skip(&path) {
            files(&path, skip, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

/// etcd's own files hold the Secrets.
fn is_etcd(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("etcd-"))
}

fn holds_token(path: &Path) -> bool {
    Token::find_in(&String::from_utf8_lossy(&std::fs::read(path).unwrap())).is_some()
}

#[test]
fn nothing_but_secrets_holds_a_token() {
    let dir = std::env::var_os("KEYWARD_DEV_DIR").expect("no control plane: run `make test`");
    let secrets = kubectl(&[
        "get",
        "secrets",
        "-A",
        "-l",
        "app.kubernetes.io/managed-by=keyward",
        "-o",
        "go-template={{range .items}}{{range .data}}{{. | base64decode}}{{\"\\n\"}}{{end}}{{end}}",
    ]);
    let issued = secrets.lines().filter(|line| Token::find_in(line).is_some()).count();
    assert!(issued >= 10, "the run before left tokens to search for; it left {issued}");

    let mut leaks = Vec::new();
    for (kind, text) in stored() {
        if Token::find_in(&text).is_some() {
            leaks.push(kind);
        }
    }
    let (mut logs, mut all) = (Vec::new(), Vec::new());
    files(Path::new(&dir), is_etcd, &mut logs);
    files(Path::new(&dir), |_| false, &mut all);
    let controllers = logs.iter().filter(|path| path.to_string_lossy().contains("-controller-")).count();
    assert!(controllers >= 10, "the run before left logs of controllers; it left {controllers}");
    assert!(
        all.iter().any(|path| holds_token(path)),
        "the search finds the tokens that etcd holds, so it is not blind"
    );
    leaks.extend(logs.iter().filter(|path| holds_token(path)).map(|path| path.display().to_string()));
    assert_eq!(leaks, [] as [String; 0]);
}
