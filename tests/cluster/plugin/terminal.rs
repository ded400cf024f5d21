//! What only a terminal gets: colours, glyphs, questions, and a token on the screen.

use std::process::{Command, Output, Stdio};

use keyward::api::ServiceAccount;
use keyward::api::shared::DesiredState;

use super::super::support::Scene;
use super::{administered, done, keyward, path};

/// `kubectl keyward` at a terminal, where a user types `typed`.
fn at_terminal(scene: &Scene, arguments: &str, typed: &str, variables: &[(&str, &str)]) -> Output {
    use std::io::Write as _;
    let line = format!("kubectl keyward {arguments} -n {}", scene.namespace);
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("PATH", path());
    for name in ["CI", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "LC_ALL", "LC_CTYPE"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8").envs(variables.iter().copied());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    output
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n")
}

#[tokio::test]
async fn a_terminal_gets_colours_and_glyphs_unless_they_are_unwanted() {
    let (scene, _controller) = Scene::with_controller("plugin-colour").await;
    done(&keyward(&scene, &["create", "ci", "--icon", "rocket"]));
    let account = scene.account_once("shows ci", |account| {
        let snapshot = account.status.as_ref().and_then(|status| status.snapshot.as_ref());
        snapshot.is_some_and(|snapshot| snapshot.service_accounts.iter().any(|item| item.state.is_some()))
    });
    account.await;
    let green = "\u{1b}[32mActive\u{1b}[0m";
    for (arguments, variables, colours, glyph) in [
        ("", &[][..], true, true),
        ("", &[("NO_COLOR", "1")], false, true),
        ("", &[("TERM", "dumb")], false, true),
        ("--color never", &[], false, true),
        ("--color always", &[("NO_COLOR", "1")], true, true),
        ("", &[("LANG", "C")], true, false),
    ] {
        let shown = shown(&at_terminal(&scene, arguments, "", variables));
        assert_eq!(
            (shown.contains(green), shown.contains("🚀 Rocket")),
            (colours, glyph),
            "{variables:?} {shown}"
        );
    }
    let piped = done(&keyward(&scene, &[]));
    assert!(!piped.contains('\u{1b}') && !piped.contains('🚀'), "{piped}");
    assert!(done(&keyward(&scene, &["--color", "always"])).contains(green));
}

#[tokio::test]
async fn a_user_is_asked_before_a_service_account_is_switched_off() {
    let (scene, _controller) = Scene::with_controller("plugin-ask").await;
    administered(&scene).await;
    for (typed, code, ends, state) in [
        ("n\n", 1, "nothing was changed\n", DesiredState::Active),
        ("\n", 1, "nothing was changed\n", DesiredState::Active),
        ("yes\n", 0, "serviceaccount.iam.keyward.dev/ci deactivated\n", DesiredState::Inactive),
    ] {
        let output = at_terminal(&scene, "deactivate ci", typed, &[]);
        let shown = shown(&output);
        assert!(shown.contains("Switch off serviceaccount.iam.keyward.dev/ci? [y/N] "), "{shown}");
        assert!(shown.ends_with(ends), "{shown}");
        assert_eq!(output.status.code(), Some(code), "{shown}");
        assert_eq!(scene.get::<ServiceAccount>("ci").await.spec.state, state);
    }
}

#[tokio::test]
async fn a_token_is_shown_on_a_terminal_and_typed_there_unseen() {
    let (scene, _controller) = Scene::with_controller("plugin-typed").await;
    administered(&scene).await;
    let token = scene.token("deploy").await;
    let revealed = shown(&at_terminal(&scene, "key reveal deploy", "", &[]));
    assert!(revealed == format!("{}\n", token.reveal()), "it shows the token and nothing else");

    let output = at_terminal(&scene, "verify", &format!("{}\n", token.reveal()), &[]);
    let shown = shown(&output);
    let after = shown.split("Token: ").nth(1).expect("it asks for the token");
    assert_eq!(output.status.code(), Some(0));
    assert!(!after.contains(token.reveal()) && after.contains("Good"), "what is typed is not shown");
}
