//! The audit log, and following it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};

use keyward::api::shared::AuditEntry;
use serde_json::json;

use super::super::support::{PATIENCE, Scene, eventually, run, text};
use super::{administered, command, done, failed, keyward};

/// A plugin that goes on, and the lines that it prints.
struct Following {
    child: Child,
    lines: Receiver<String>,
}

impl Following {
    fn start(scene: &Scene, arguments: &[&str]) -> Self {
        let mut command = command(scene, arguments);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Waits for a line with these words.
    fn line(&self, words: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("no line has {words:?}: {error}"));
            if line.contains(words) {
                return line;
            }
        }
    }

    fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_log_is_shown_oldest_first_and_for_programs_one_entry_a_line() {
    let (scene, _controller) = Scene::with_controller("plugin-audit").await;
    administered(&scene).await;
    let entries = |arguments: &[&str]| -> Vec<AuditEntry> {
        let text = done(&keyward(&scene, &[arguments, &["-o", "json"]].concat()));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let its = eventually("the key's entry reaches the service account's log", async || {
        let entries = entries(&["audit", "ci"]);
        if entries.iter().any(|entry| entry.reason == "Issued") { Ok(entries) } else { Err(entries) }
    })
    .await;
    assert_eq!(its[0].reason, "Admitted");
    assert!(its.is_sorted_by_key(|entry| entry.time));
    let me = scene.me();
    for arguments in [&["audit"][..], &["audit", "--account"]] {
        let created = entries(arguments).remove(0);
        assert_eq!(
            (created.reason.as_str(), &created.actor),
            ("ServiceAccountCreated", &me),
            "{arguments:?}"
        );
    }
    let shown = done(&keyward(&scene, &["audit", "ci"]));
    assert!(shown.starts_with("TIME ") && shown.contains("AccessKey/deploy"), "{shown}");
    failed(&keyward(&scene, &["audit", "cj"]), 1, "did you mean \"ci\"?");
}

#[tokio::test]
async fn new_entries_are_shown_as_they_come_also_to_an_admin_who_may_look_and_not_watch() {
    let (scene, _controller) = Scene::with_controller("plugin-follow").await;
    administered(&scene).await;
    let mut all = Following::start(&scene, &["audit", "ci", "--follow"]);
    let alice = Following::start(&scene, &["audit", "ci", "-f", "-o", "json", "--as", "alice"]);
    all.line("Admitted");
    alice.line("Admitted");
    done(&keyward(&scene, &["key", "rotate", "deploy"]));
    assert!(all.line("Rotated").contains("AccessKey/deploy"));
    let entry: AuditEntry = serde_json::from_str(&alice.line("\"Rotated\"")).unwrap();
    assert_eq!(entry.object, "AccessKey/deploy");

    // As Ctrl-C does.
    assert!(!all.is_over());
    text(&run("kill", &["-INT", &all.child.id().to_string()], ""));
    eventually("it ends", async || if all.is_over() { Ok(()) } else { Err("it goes on") }).await;
}

#[tokio::test]
async fn following_ends_with_the_service_account() {
    let (scene, _controller) = Scene::with_controller("plugin-follow-end").await;
    done(&keyward(&scene, &["create", "ci"]));
    let mut following = Following::start(&scene, &["audit", "ci", "--follow"]);
    following.line("Admitted");
    scene.set::<keyward::api::ServiceAccount>("ci", json!({"state": "Inactive"})).await;
    following.line("Inactive");
    scene.kubectl_text(&["delete", "kwsa", "ci"]);
    eventually("it ends", async || if following.is_over() { Ok(()) } else { Err("it goes on") }).await;
    assert!(following.child.wait().unwrap().success());
}
