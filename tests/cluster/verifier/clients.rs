//! The example clients, each against a verifier.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Scene, Verifier, run_with};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/clients");

/// The Rust client. `cargo test` has built it, unless it was told to build one test only.
fn rust() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let built = own.parent().and_then(Path::parent).unwrap().join("examples/verify");
    if !built.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut cargo_build = Command::new(cargo);
        cargo_build.args(["build", "-q", "--example", "verify"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(cargo_build.status().unwrap().success());
    }
    built
}

#[tokio::test]
async fn each_example_client_prints_who_it_is_and_lets_nobody_else_in() {
    let (scene, _controller) = Scene::with_controller("clients").await;
    let token = scene.issued("ci").await;
    let verifier = Verifier::start(&scene, &[]).await;
    let url = format!("http://{}", verifier.address().await);
    let subject = format!("keyward:{}:ci\n", scene.namespace);
    let good = format!("Bearer {}\n", token.reveal());
    let quoted = format!("Bearer {}\",\"x\":\"\n", token.reveal());
    let clients = [
        vec![rust().to_str().unwrap().to_owned()],
        vec!["python3".into(), format!("{FOLDER}/verify.py")],
        vec!["go".into(), "run".into(), format!("{FOLDER}/verify.go")],
        vec!["sh".into(), format!("{FOLDER}/verify.sh")],
    ];
    for client in &clients {
        let ask = |url: &str, header: &str| -> (Option<i32>, String, String) {
            let (program, arguments) = client.split_first().unwrap();
            let mut command = Command::new(program);
            command.args(arguments).env("KEYWARD_URL", url).env("no_proxy", "127.0.0.1");
            let Output { status, stdout, stderr } = run_with(command, header);
            let [printed, said] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
            assert!(!printed.contains(token.reveal()) && !said.contains(token.reveal()), "{client:?}");
            (status.code(), printed, said)
        };
        assert_eq!(ask(&url, &good), (Some(0), subject.clone(), String::new()), "{client:?}");
        for header in ["Bearer nonsense\n", quoted.as_str(), "Basic YTpi\n", "\n", ""] {
            let (code, printed, _) = ask(&url, header);
            assert_eq!((code, printed.as_str()), (Some(1), ""), "{client:?}");
        }
        let (code, printed, said) = ask("http://127.0.0.1:1", &good);
        assert!(code != Some(0) && printed.is_empty() && !said.is_empty(), "{client:?}: {said}");
    }
}
