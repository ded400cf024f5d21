//! Revealing a token.

use serde_json::json;

use super::super::admission::may;
use super::super::support::Scene;
use super::{administered, done, failed, keyward, keyward_as};

#[tokio::test]
async fn a_token_is_printed_to_a_pipe_only_by_force_and_to_those_who_may_read_it() {
    let (scene, _controller) = Scene::with_controller("plugin-reveal").await;
    administered(&scene).await;
    let words = "standard output is no terminal, and the token might stay in a file or a log; where that is meant, add --force";
    failed(&keyward(&scene, &["key", "reveal", "deploy"]), 1, words);

    let token = scene.token("deploy").await;
    for user in [&[][..], &["--as", "alice"]] {
        let output = keyward(&scene, &[&["key", "reveal", "deploy", "--force"], user].concat());
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed == format!("{}\n", token.reveal()), "it prints the token and nothing else");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    }

    let role = ["create", "role", "viewer", "--verb=get", "--resource=accesskeys.iam.keyward.dev"];
    scene.kubectl_text(&role);
    scene.kubectl_text(&["create", "rolebinding", "viewer", "--role=viewer", "--user=bob"]);
    may(&scene, "bob", "get", "accesskeys.iam.keyward.dev").await;
    let words = "user \"bob\" may not get secrets \"deploy\" in namespace";
    let output = keyward_as(&scene, "bob", &["key", "reveal", "deploy", "--force"]);
    failed(&output, 1, words);
    failed(&output, 1, "by naming the user in spec.admins of the key's service account");
}

#[tokio::test]
async fn a_secret_that_is_not_the_keys_is_not_revealed() {
    let (scene, _controller) = Scene::with_controller("plugin-foreign").await;
    done(&keyward(&scene, &["create", "ci"]));
    let foreign = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "deploy"}, "stringData": {"token": "x"},
    });
    scene.kubectl_with(&["create", "-f", "-"], &foreign.to_string());
    let create = ["key", "create", "deploy", "--service-account", "ci"];
    failed(&keyward(&scene, &create), 1, "Secret \"deploy\" exists and");
    let words = "accesskey.iam.keyward.dev/deploy has no token yet; why: kubectl -n";
    failed(&keyward(&scene, &["key", "reveal", "deploy", "--force"]), 1, words);
}
