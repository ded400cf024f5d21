//! Verifying a token that comes from standard input.

use std::process::Output;

use keyward::domain::value::token::Token;
use serde_json::{Value, json};

use super::super::support::{Scene, Verifier, run_with};
use super::{administered, command, done, failed, keyward, keyward_as, said};

fn verify(scene: &Scene, given: &str, flags: &[&str]) -> Output {
    run_with(command(scene, &[&["verify"], flags].concat()), given)
}

/// The verdict in its first line, with the exit code.
fn verdict(output: &Output) -> (Option<i32>, String) {
    let (out, err) = said(output);
    (output.status.code(), out.lines().next().unwrap_or(&err).to_owned())
}

#[tokio::test]
async fn a_token_is_judged_as_a_verifier_would_with_the_rights_of_whoever_asks() {
    let (scene, _controller) = Scene::with_controller("plugin-verify").await;
    administered(&scene).await;
    scene.grant("claims", "ci", "Process", "claims", json!({"impersonation": "Enabled"})).await;
    let token = scene.token("deploy").await;
    let text = format!("Bearer {}\n", token.reveal());
    let judged = |flags: &[&str]| verdict(&verify(&scene, &text, flags));
    let good = || (Some(0), "Good".to_owned());
    let refused = |words: &str| (Some(1), format!("Refused ({words}"));

    assert_eq!(judged(&[]), good());
    assert_eq!(judged(&["--as", "alice"]), good());
    let acting = ["--resource", "Process/claims", "--role", "Viewer", "--on-behalf-of", "ann@example.org"];
    assert_eq!(judged(&acting), good());
    let lacking = judged(&["--resource", "Process/claims", "--role", "Admin"]);
    assert_eq!(
        lacking,
        refused("RoleTooLow): The service account's grant on the resource gives a lower role.")
    );
    let json: Value = serde_json::from_str(&done(&verify(&scene, token.reveal(), &["-o", "json"]))).unwrap();
    assert_eq!(
        (&json["valid"], &json["serviceAccount"], &json["accessKey"]),
        (&json!(true), &json!("ci"), &json!("deploy"))
    );

    let unknown =
        format!("No key in namespace \"{}\" has a token of that id. To look in all: -A", scene.namespace);
    let elsewhere = Token::from_random(&[9; 64]).unwrap();
    let output = verify(&scene, elsewhere.reveal(), &[]);
    assert_eq!(verdict(&output), (Some(1), format!("Refused (UnknownKey): {unknown}")));
    let output = verify(&scene, elsewhere.reveal(), &["-A"]);
    assert_eq!(verdict(&output).0, Some(1));
    let mut typo = token.reveal().to_owned();
    typo.replace_range(64..65, if typo.ends_with('0') { "1" } else { "0" });
    assert_eq!(
        verdict(&verify(&scene, &typo, &[])),
        refused("Checksum): The token's checksum is wrong: a typo, or a guess.")
    );

    done(&keyward(&scene, &["key", "deactivate", "deploy"]));
    assert_eq!(judged(&[]), refused("KeyInactive): The key is switched off, or its service account was."));

    let output = verify(&scene, token.reveal(), &["--as", "bob"]);
    failed(&output, 2, "user \"bob\" may not list accesskeys.iam.keyward.dev");
    failed(&verify(&scene, token.reveal(), &["--resource", "Prozess/x"]), 2, "it is 'Prozess'");
}

#[tokio::test]
async fn a_token_as_an_argument_is_refused_and_not_repeated() {
    let scene = Scene::new("plugin-argument").await;
    let token = Token::from_random(&[7; 64]).unwrap();
    let words = "a token must not be an argument, where other users and the shell's history see it";
    let equals = format!("--token={}", token.reveal());
    for arguments in [
        &["verify", token.reveal()][..],
        &["verify", &equals],
        &[token.reveal()],
        &["describe", token.reveal()],
    ] {
        failed(&keyward(&scene, arguments), 2, words);
    }
    // Also where it is none, or not whole.
    let output = keyward(&scene, &["verify", "kw_part"]);
    failed(&output, 2, words);
    assert!(!said(&output).1.contains("kw_part"));
}

#[tokio::test]
async fn a_running_verifier_can_be_asked_instead() {
    let (scene, _controller) = Scene::with_controller("plugin-verifier").await;
    administered(&scene).await;
    scene.grant("claims", "ci", "Process", "claims", json!({})).await;
    let verifier = Verifier::start(&scene, &[]).await;
    let token = scene.token("deploy").await;
    verifier.answers(&token, 200).await;
    let url = format!("http://{}", verifier.address().await);
    let judged = |given: &str, flags: &[&str]| verify(&scene, given, &[&["--url", &url], flags].concat());
    let output = judged(token.reveal(), &["--resource", "Process/claims"]);
    let shown = done(&output);
    assert!(shown.starts_with("Good\nAccount: ") && shown.contains(token.id()), "{shown}");
    assert_eq!(
        verdict(&judged(Token::from_random(&[7; 64]).unwrap().reveal(), &[])),
        (Some(1), "Refused (invalid_token): the access key is not valid".into())
    );
    drop(verifier);
    failed(&judged(token.reveal(), &[]), 2, "cannot be asked: ");
    let plain = verify(&scene, token.reveal(), &["--url", "http://keyward.example.org"]);
    failed(&plain, 2, "--url must begin with https://");
    // Nothing is sent for what cannot be a token.
    assert_eq!(verdict(&judged("nonsense", &[])).0, Some(1));
    done(&keyward_as(&scene, "alice", &["describe", "ci"]));
}
