//! Looking: the account at a glance, a service account in full, and what expires.

use serde_json::{Value, json};

use super::super::support::{Scene, eventually, run_with};
use super::{PROGRAM, done, keyward, said};

/// What it shows, once that contains these words.
async fn shows(scene: &Scene, arguments: &[&str], words: &str) -> String {
    eventually(&format!("{arguments:?} shows {words:?}"), async || {
        let shown = done(&keyward(scene, arguments));
        if shown.contains(words) { Ok(shown) } else { Err(shown) }
    })
    .await
}

#[tokio::test]
async fn the_account_is_shown_at_a_glance_with_its_limits() {
    let (scene, _controller) = Scene::with_controller("plugin-glance").await;
    let (out, err) = said(&keyward(&scene, &[]));
    assert_eq!(out, "");
    let create = format!("kubectl keyward -n {} create NAME", scene.namespace);
    assert!(err.contains("There is no account in namespace") && err.contains(&create), "{err}");

    done(&keyward(&scene, &["create", "ci", "--display-name", "CI bot", "--icon", "rocket"]));
    done(&keyward(&scene, &["key", "create", "deploy", "--service-account", "ci"]));
    let row = "ci     CI bot         Rocket   Active   unknown         1/1    -\n";
    let shown = shows(&scene, &[], row).await;
    let title = format!("Account {}\nService accounts: 1 of 25\nAccess keys: 1 active of 1", scene.namespace);
    assert!(shown.starts_with(&title), "{shown}");

    // Without kubectl in between it is the same.
    let mut direct = std::process::Command::new(PROGRAM);
    direct.args(["-n", &scene.namespace]);
    assert_eq!(done(&run_with(direct, "")), shown);

    let all = done(&keyward(&scene, &["-A"]));
    let [account, service_account] =
        ["-              1/25 ", "ci "].map(|rest| format!("{}   {rest}", scene.namespace));
    let lines: Vec<String> =
        all.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for begins in [account, service_account] {
        let begins = begins.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(lines.iter().any(|line| line.starts_with(&begins)), "{begins:?} in {all}");
    }
    assert_eq!(done(&keyward(&scene, &["-o", "name"])), "serviceaccount.iam.keyward.dev/ci\n");
    let account: Value = serde_json::from_str(&done(&keyward(&scene, &["-o", "json"]))).unwrap();
    assert_eq!((&account["kind"], &account["metadata"]["managedFields"]), (&json!("Account"), &Value::Null));
}

#[tokio::test]
async fn a_service_account_is_shown_in_full() {
    let (scene, _controller) = Scene::with_controller("plugin-describe").await;
    scene
        .grant(
            "claims",
            "ci",
            "Process",
            "claims",
            json!({"impersonation": "Enabled", "usage": "Integration"}),
        )
        .await;
    super::administered(&scene).await;
    shows(&scene, &["describe", "ci"], "integrations that run as it (1): Process \"claims\"").await;
    let shown = shows(&scene, &["describe", "ci"], "issued into Secret \"deploy\"").await;
    for part in [
        "Display name: CI bot\n",
        "State: Active (Admitted: Service account is admitted",
        "Admins: User/alice\n",
        "Access keys (1)\n",
        "Associated resources (1)\nProcess (1)\n",
        "Member Integration Enabled\n",
        "Audit log (the newest ",
        "Service account is now managed by User/alice",
    ] {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&shown).contains(&words(part)), "{part:?} in {shown}");
    }
    let list: Value =
        serde_json::from_str(&done(&keyward(&scene, &["describe", "ci", "-o", "json"]))).unwrap();
    assert_eq!(list["items"][1]["metadata"]["name"], "deploy");
}

#[tokio::test]
async fn keys_that_expire_soon_are_shown_with_what_renews_them() {
    let (scene, _controller) = Scene::with_controller("plugin-expiring").await;
    scene.limits(json!({"minValidFor": "P1D"})).await;
    done(&keyward(&scene, &["create", "ci"]));
    let create = |name: &'static str, flags: &[&str]| {
        let begin = ["key", "create", name, "--service-account", "ci"];
        done(&keyward(&scene, &[&begin[..], flags].concat()));
    };
    create("month", &["--valid-for", "P20D", "--renew-before", "P5D"]);
    create("week", &["--valid-for", "P7D"]);
    create("half", &[]);
    let names = |flags: &[&str]| done(&keyward(&scene, &[&["expiring", "-o", "name"], flags].concat()));
    let name = |key: &str| format!("accesskey.iam.keyward.dev/{key}\n");
    assert_eq!(names(&[]), [name("week"), name("month")].concat());
    assert_eq!(names(&["--within", "170h"]), name("week"));
    assert_eq!(names(&["--within", "P1Y"]), [name("week"), name("month"), name("half")].concat());
    let shown = done(&keyward(&scene, &["expiring"]));
    let ends =
        |line: usize, words: &str| assert!(shown.lines().nth(line).unwrap().ends_with(words), "{shown}");
    ends(1, "nothing renews it");
    ends(2, "by itself, in 14d");
    let (out, err) = said(&keyward(&scene, &["expiring", "--within", "1h"]));
    assert_eq!((out.as_str(), err.as_str()), ("", "No access key expires within PT1H.\n"));
    let everywhere = done(&keyward(&scene, &["expiring", "-A"]));
    let mut lines = everywhere.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>());
    assert!(lines.any(|line| line == [scene.namespace.as_str(), "ci"]), "{everywhere}");
}
