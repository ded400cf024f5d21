//! Making, rotating and switching, and what a dry run gives to Git.

use keyward::api::{AccessKey, ServiceAccount};
use kube::ResourceExt as _;
use serde_json::Value;

use super::super::admission::{create_as, may};
use super::super::support::{Scene, eventually, key_reason, text};
use super::{administered, done, failed, keyward, keyward_as, said};

#[tokio::test]
async fn a_key_is_made_rotated_and_switched_and_its_token_is_only_pointed_at() {
    let (scene, _controller) = Scene::with_controller("plugin-change").await;
    let shown = done(&keyward(&scene, &["create", "ci", "--description", "Builds."]));
    assert!(shown.starts_with("serviceaccount.iam.keyward.dev/ci created\nIt is admitted."), "{shown}");
    let flags = ["--service-account", "ci", "--renew-before", "P14D", "--overlap", "P7D"];
    let shown = done(&keyward(&scene, &[&["key", "create", "deploy"], &flags[..]].concat()));
    let key: AccessKey = scene.get("deploy").await;
    let first = key.status.unwrap().token.unwrap();
    let reveal = format!(
        "Its token is in Secret \"deploy\" of namespace \"{0}\". To see it: kubectl keyward -n {0} key reveal deploy\n",
        scene.namespace
    );
    assert!(
        shown.starts_with(&format!("accesskey.iam.keyward.dev/deploy created\nKey {} expires at ", first.id))
    );
    assert!(shown.ends_with(&reveal), "{shown}");

    let shown = done(&keyward(&scene, &["key", "rotate", "deploy"]));
    let key: AccessKey = scene.get("deploy").await;
    assert_eq!(key.spec.revision, Some(2));
    let second = key.status.as_ref().unwrap().token.clone().unwrap();
    assert!(
        shown.starts_with(&format!("accesskey.iam.keyward.dev/deploy rotated\nKey {} expires", second.id))
    );
    assert!(shown.contains(&format!("The previous one, {}, is good until ", first.id)), "{shown}");

    assert_eq!(
        done(&keyward(&scene, &["key", "deactivate", "deploy"])),
        "accesskey.iam.keyward.dev/deploy deactivated\n"
    );
    scene.key_when("deploy", "Inactive").await;
    failed(
        &keyward(&scene, &["key", "rotate", "deploy"]),
        1,
        "is inactive, and gets no new token while it is",
    );
    done(&keyward(&scene, &["key", "activate", "deploy"]));
    scene.key_when("deploy", "Issued").await;
    assert_eq!(
        done(&keyward(&scene, &["key", "activate", "deploy"])),
        "accesskey.iam.keyward.dev/deploy is active already\n"
    );
    let managers: Vec<String> =
        key.managed_fields().iter().filter_map(|entry| entry.manager.clone()).collect();
    assert!(managers.contains(&"keyward-plugin".to_owned()), "{managers:?}");
}

#[tokio::test]
async fn what_is_not_ready_in_time_or_never_is_said_with_the_reason() {
    let (scene, _controller) = Scene::with_controller("plugin-not-ready").await;
    done(&keyward(&scene, &["create", "ci"]));
    let create = |name: &str, flags: &[&str]| {
        keyward(&scene, &[&["key", "create", name, "--service-account", "ci"], flags].concat())
    };
    let words =
        "accesskey.iam.keyward.dev/long is not ready: spec.validFor P3Y is outside the account's limits";
    failed(&create("long", &["--valid-for", "P3Y"]), 1, words);
    assert_eq!(done(&create("later", &["--wait=false"])), "accesskey.iam.keyward.dev/later created\n");
    let orphan = ["key", "create", "orphan", "--service-account", "nobody", "--timeout", "5s"];
    failed(
        &keyward(&scene, &orphan),
        1,
        "accesskey.iam.keyward.dev/orphan is not ready within 5 seconds: ServiceAccount",
    );
    failed(&create("later", &[]), 1, "\"later\" already exists");
    let bad = ["create", "Bad_Name"];
    failed(&keyward(&scene, &bad), 1, "metadata.name: Invalid value: \"Bad_Name\"");
    let words = "error: ServiceAccount.iam.keyward.dev \"x\" is invalid: spec.displayName";
    failed(&keyward(&scene, &["create", "x", "--display-name", ""]), 1, words);
}

#[tokio::test]
async fn rotations_at_once_never_raise_the_revision_twice() {
    let (scene, _controller) = Scene::with_controller("plugin-rotate").await;
    administered(&scene).await;
    let outputs: Vec<_> = std::thread::scope(|threads| {
        let rotate = || keyward(&scene, &["key", "rotate", "deploy", "--wait=false"]);
        let running: Vec<_> = (0..8).map(|_| threads.spawn(rotate)).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (rotated, refused): (Vec<_>, Vec<_>) = outputs.iter().partition(|output| output.status.success());
    for output in refused {
        failed(output, 1, "was rotated by someone else at the same moment: its revision went from");
    }
    let key: AccessKey = scene.get("deploy").await;
    assert_eq!(usize::try_from(key.spec.revision.unwrap()).unwrap(), 1 + rotated.len());
    assert!(!rotated.is_empty());
}

/// Applies a manifest as a deployment tool does, and checks that nothing is left to change then.
async fn applied(scene: &Scene, manifest: &str) {
    let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    text(&scene.kubectl_with(&apply, manifest));
    // Again, since kubectl also shows what the controller writes in the midst of it.
    eventually("nothing is left to change", async || {
        let diff = scene.kubectl_with(&["diff", "--server-side", "-f", "-"], manifest);
        if diff.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&diff.stdout).into_owned()) }
    })
    .await;
}

#[tokio::test]
async fn the_manifest_of_a_dry_run_changes_nothing_and_applied_it_gives_the_same() {
    let (scene, _controller) = Scene::with_controller("plugin-git").await;
    let create: [&[&str]; 2] = [
        // Words that another reader of YAML would not take for text.
        &[
            "create",
            "ci",
            "--display-name",
            "yes",
            "--description",
            "12:30\n# no comment",
            "--admin",
            "Group:0x1f",
        ],
        &["key", "create", "deploy", "--service-account", "ci", "--expires-at", "2027-09-01T00:00:00Z"],
    ];
    for who in ["--dry-run=client", "--dry-run=server"] {
        for arguments in create {
            let manifest = done(&keyward(&scene, &[arguments, &[who, "-o", "yaml"]].concat()));
            for noise in ["managedFields", "uid", "resourceVersion", "status", "changed-by", "created-by"] {
                assert!(!manifest.contains(noise), "{manifest}");
            }
            assert_eq!(
                scene.keys().await.len() + scene.kubectl_text(&["get", "kwsa", "-o", "name"]).len(),
                0
            );
            // What is dry is not there for the next one.
            if who == "--dry-run=server" {
                continue;
            }
            text(&scene.kubectl_with(&["apply", "--dry-run=server", "-f", "-"], &manifest));
        }
    }
    for arguments in create {
        applied(&scene, &done(&keyward(&scene, &[arguments, &["--dry-run", "-o", "yaml"]].concat()))).await;
    }
    let made: ServiceAccount = scene.get("ci").await;
    assert_eq!(made.spec.display_name.as_deref(), Some("yes"));
    assert_eq!(made.spec.description.as_deref(), Some("12:30\n# no comment"));
    scene.key_when("deploy", "Issued").await;

    for arguments in
        [&["key", "rotate", "deploy"][..], &["key", "deactivate", "deploy"], &["deactivate", "ci"]]
    {
        let before = scene.kubectl_text(&["get", "kwsa,kwkey", "-o", "jsonpath={.items[*].spec}"]);
        let dry = |who: &str| done(&keyward(&scene, &[arguments, &[who, "-o", "yaml"]].concat()));
        let manifest = dry("--dry-run=client");
        assert_eq!(manifest, dry("--dry-run=server"), "{arguments:?}");
        assert_eq!(scene.kubectl_text(&["get", "kwsa,kwkey", "-o", "jsonpath={.items[*].spec}"]), before);
        applied(&scene, &manifest).await;
        assert_ne!(scene.kubectl_text(&["get", "kwsa,kwkey", "-o", "jsonpath={.items[*].spec}"]), before);
    }
}

#[tokio::test]
async fn what_is_done_is_said_in_the_form_that_is_requested() {
    let scene = Scene::new("plugin-output").await;
    let create = |flags: &[&str]| done(&keyward(&scene, &[&["create", "ci", "--dry-run"], flags].concat()));
    assert_eq!(create(&[]), "serviceaccount.iam.keyward.dev/ci created (dry run)\n");
    assert_eq!(create(&["-o", "name"]), "serviceaccount.iam.keyward.dev/ci\n");
    let object: Value = serde_json::from_str(&create(&["-ojson"])).unwrap();
    assert_eq!(object["metadata"]["namespace"], *scene.namespace);
    let server = done(&keyward(&scene, &["create", "ci", "--dry-run=server"]));
    assert_eq!(server, "serviceaccount.iam.keyward.dev/ci created (server dry run)\n");
}

#[tokio::test]
async fn who_may_not_change_something_learns_who_could_grant_it() {
    let (scene, _controller) = Scene::with_controller("plugin-denied").await;
    administered(&scene).await;
    done(&keyward_as(&scene, "alice", &["key", "rotate", "deploy", "--wait=false"]));
    let words = "not allowed: user \"bob\" may not get accesskeys.iam.keyward.dev \"deploy\" in namespace";
    failed(&keyward_as(&scene, "bob", &["key", "rotate", "deploy"]), 1, words);
    let words = "by naming the user in spec.iamAdmins of the Account";
    failed(&keyward_as(&scene, "bob", &["create", "x"]), 1, words);

    // RBAC lets them, and the policy does not: it says so in its own words.
    let role = ["create", "role", "writer", "--verb=get,patch", "--resource=accesskeys.iam.keyward.dev"];
    scene.kubectl_text(&role);
    scene.kubectl_text(&["create", "rolebinding", "writer", "--role=writer", "--user=bob"]);
    may(&scene, "bob", "patch", "accesskeys.iam.keyward.dev").await;
    let output = keyward_as(&scene, "bob", &["key", "deactivate", "deploy"]);
    failed(&output, 1, "user \"bob\" may not change AccessKey.iam.keyward.dev \"deploy\" of ServiceAccount");
    let (_, err) = said(&output);
    assert!(err.contains("this needs the verb \"manage\" on that service account"), "{err}");
    assert!(!create_as(&scene, "bob", "AccessKey", "x", &serde_json::json!({})).status.success());
    assert_eq!(key_reason(&scene.get("deploy").await), "Issued");
}
