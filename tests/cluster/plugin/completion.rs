//! Completion: by kubectl, and by shells.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use super::super::support::{Scene, run_with, text};
use super::{done, keyward, path};

#[tokio::test]
async fn kubectl_completes_commands_flags_and_the_names_in_the_cluster() {
    let scene = Scene::new("plugin-complete").await;
    scene.service_account("ci-bot").await;
    scene.key("deploy", "ci-bot").await;
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("kubectl_complete-keyward");
    std::fs::write(&script, done(&keyward(&scene, &["completion", "kubectl"]))).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let others = path();
    let paths = [folder.path().to_owned()].into_iter().chain(std::env::split_paths(&others));
    let path = std::env::join_paths(paths).unwrap();
    let candidates = |words: &[&str]| -> Vec<String> {
        let mut command = Command::new("kubectl");
        command.args(["__complete", "keyward"]).args(words).env("PATH", &path);
        let shown = text(&run_with(command, ""));
        let lines = shown.lines().map(|line| line.split('\t').next().unwrap().to_owned());
        lines.collect()
    };
    let namespace = scene.namespace.as_str();
    // The last line tells kubectl to offer no file names.
    assert_eq!(candidates(&["describe", "-n", namespace, ""]), ["ci-bot", ":4"]);
    assert_eq!(candidates(&["-n", namespace, "key", "rotate", "de"]), ["deploy", ":4"]);
    let flag = ["key", "create", "x", "-n", namespace, "--service-account", ""];
    assert_eq!(candidates(&flag), ["ci-bot", ":4"]);
    assert_eq!(candidates(&["key", "re"]), ["reveal", ":4"]);
    assert_eq!(candidates(&["expiring", "--with"]), ["--within", ":4"]);
    assert!(candidates(&[""]).contains(&"who-can".to_owned()));
    // Nobody who presses Tab wants an error.
    assert_eq!(candidates(&["describe", "-n", namespace, "--context", "nowhere", ""]), [":4"]);
}

#[tokio::test]
async fn bash_completes_the_names_in_the_cluster_by_its_script() {
    let scene = Scene::new("plugin-bash").await;
    scene.service_account("ci-bot").await;
    let line = format!("kubectl-keyward describe -n {} ci", scene.namespace);
    let complete = r#"
        source <(kubectl-keyward completion bash)
        COMP_WORDS=($1) COMP_CWORD=4 COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
        _clap_complete_kubectl_keyward kubectl-keyward ci -n
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", complete, "bash", &line]).env("PATH", path());
    assert_eq!(text(&run_with(bash, "")), "ci-bot\n");
}

#[test]
fn each_shell_gets_a_script_for_the_program() {
    for (shell, begins) in [
        ("bash", "\n_clap_complete_kubectl_keyward()"),
        ("zsh", "#compdef kubectl-keyward"),
        ("fish", "complete "),
    ] {
        let mut command = Command::new(super::PROGRAM);
        let output = command.args(["completion", shell]).stdin(Stdio::null()).output().unwrap();
        let script = text(&output);
        assert!(script.starts_with(begins) && script.contains("KEYWARD_COMPLETE"), "{script}");
    }
}
