//! `kubectl keyward` as users run it: by kubectl itself, and with the rights of whoever runs it.

mod audit;
mod change;
mod completion;
mod errors;
mod krew;
mod look;
mod reveal;
mod switch;
mod terminal;
mod verify;
mod who_can;

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output};

use keyward::api::ServiceAccount;
use keyward::domain::value::token::Token;

use super::admission::may;
use super::support::{Scene, run_with};

const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-keyward");

/// The PATH, with the plugin on it.
pub fn path() -> OsString {
    let folder = Path::new(PROGRAM).parent().unwrap().to_owned();
    let others = std::env::var_os("PATH").unwrap();
    std::env::join_paths([folder].into_iter().chain(std::env::split_paths(&others))).unwrap()
}

/// `kubectl keyward` in the scene's namespace, not run yet.
fn command(scene: &Scene, arguments: &[&str]) -> Command {
    let mut command = Command::new("kubectl");
    command.arg("keyward").args(arguments).args(["-n", &scene.namespace]).env("PATH", path());
    command
}

/// `kubectl keyward` in the scene's namespace, with nobody to ask.
fn keyward(scene: &Scene, arguments: &[&str]) -> Output {
    run_with(command(scene, arguments), "")
}

/// As another user.
fn keyward_as(scene: &Scene, user: &str, arguments: &[&str]) -> Output {
    keyward(scene, &[arguments, &["--as", user]].concat())
}

/// Standard output and standard error. Neither may hold a token.
fn said(output: &Output) -> (String, String) {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8(text.clone()).unwrap());
    assert!(Token::find_in(&out).is_none() && Token::find_in(&err).is_none(), "a token is shown");
    (out, err)
}

/// Standard output of a command that must have succeeded.
#[track_caller]
fn done(output: &Output) -> String {
    let (out, err) = said(output);
    assert!(output.status.success(), "{out}{err}");
    out
}

/// Checks that a command ended with that code and said so.
#[track_caller]
fn failed(output: &Output, code: i32, words: &str) {
    let (out, err) = said(output);
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    assert!(err.contains(words), "it says other than {words:?}: {err}");
}

/// `ci` with a key `deploy`, as its admin alice makes them known to the cluster.
async fn administered(scene: &Scene) {
    done(&keyward(scene, &["create", "ci", "--display-name", "CI bot", "--admin", "User:alice"]));
    done(&keyward(scene, &["key", "create", "deploy", "--service-account", "ci"]));
    bound(scene).await;
    may(scene, "alice", "get", "secrets/deploy").await;
}

async fn bound(scene: &Scene) {
    let is_so = |object: &ServiceAccount| {
        object.status.as_ref().and_then(|status| status.admin_names.as_deref()) == Some("User/alice")
    };
    scene.service_account_once("ci", "is administered by alice", is_so).await;
}
