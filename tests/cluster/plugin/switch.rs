//! Switching a service account off, with what still uses it.

use keyward::api::ServiceAccount;
use keyward::api::shared::DesiredState;
use kube::ResourceExt as _;
use serde_json::json;

use super::super::support::guard::Guard;
use super::super::support::{Scene, eventually};
use super::{done, failed, keyward, said};

const USED: &str = "  integrations that run as it (1): App \"mail\"\n";

/// `ci`, which an integration uses.
async fn used(scene: &Scene) {
    scene.grant("mail", "ci", "App", "mail", json!({"usage": "Integration"})).await;
    done(&keyward(scene, &["create", "ci", "--display-name", "CI bot"]));
    done(&keyward(scene, &["key", "create", "deploy", "--service-account", "ci"]));
    scene
        .service_account_once("ci", "is used", |object| {
            let resources = object.status.as_ref().and_then(|status| status.associated_resources.as_ref());
            resources.is_some_and(|resources| !resources.in_use.is_empty())
                && object
                    .status
                    .as_ref()
                    .and_then(|status| status.keys.as_ref())
                    .is_some_and(|keys| keys.active == 1)
        })
        .await;
}

async fn state(scene: &Scene) -> DesiredState {
    scene.get::<ServiceAccount>("ci").await.spec.state
}

#[tokio::test]
async fn who_switches_it_off_sees_what_uses_it_and_must_say_yes() {
    let (scene, _controller) = Scene::with_controller("plugin-switch").await;
    used(&scene).await;
    let output = keyward(&scene, &["deactivate", "ci"]);
    failed(&output, 1, "there is no terminal to ask at; look at what uses it, and add --yes");
    let (_, err) = said(&output);
    let title = "serviceaccount.iam.keyward.dev/ci (CI bot) is still used:\n";
    assert!(err.starts_with(&format!("{title}{USED}Its one active access key stops at once")), "{err}");
    assert_eq!(state(&scene).await, DesiredState::Active);

    let output = keyward(&scene, &["deactivate", "ci", "--yes"]);
    assert_eq!(done(&output), "serviceaccount.iam.keyward.dev/ci deactivated\n");
    let (_, err) = said(&output);
    assert!(err.contains(USED) && err.contains("\nWarning: Validation failed for Validating"), "{err}");
    assert_eq!(err.matches("Warning: ").count(), 1, "{err}");
    scene.key_when("deploy", "ServiceAccountInactive").await;

    let words = format!(
        "gets no token while its service account ci is inactive; switch that on: kubectl keyward -n {} activate ci\n",
        scene.namespace
    );
    failed(&keyward(&scene, &["key", "rotate", "deploy"]), 1, &words);
    let late = done(&keyward(&scene, &["key", "create", "late", "--service-account", "ci"]));
    assert!(late.ends_with(&format!("It {}.\n", words.trim_end())), "{late}");
    let again = done(&keyward(&scene, &["deactivate", "ci"]));
    assert_eq!(again, "serviceaccount.iam.keyward.dev/ci is inactive already\n");
    let on = done(&keyward(&scene, &["activate", "ci"]));
    assert_eq!(on, "serviceaccount.iam.keyward.dev/ci activated\n");
    for name in ["deploy", "late"] {
        scene.key_when(name, "Issued").await;
    }
}

#[tokio::test]
async fn where_the_chart_wants_it_confirmed_a_yes_confirms_it_for_this_once() {
    let (scene, _controller) = Scene::with_controller("plugin-confirm").await;
    used(&scene).await;
    let guard = Guard::install(&scene);
    let dry = ["deactivate", "ci", "--dry-run=server"];
    eventually("the policy is in force", async || {
        let output = keyward(&scene, &dry);
        if output.status.success() { Err(said(&output)) } else { Ok(()) }
    })
    .await;
    failed(&keyward(&scene, &dry), 1, "set its annotation iam.keyward.dev/confirm-deactivation to \"ci\"");

    // In Git the confirmation is beside what it confirms.
    let manifest = done(&keyward(&scene, &[&dry[..], &["--yes", "-o", "yaml"]].concat()));
    assert!(manifest.contains("iam.keyward.dev/confirm-deactivation: ci\n"), "{manifest}");

    done(&keyward(&scene, &["deactivate", "ci", "--yes"]));
    let switched: ServiceAccount = scene.get("ci").await;
    assert_eq!(switched.spec.state, DesiredState::Inactive);
    assert!(!switched.annotations().contains_key("iam.keyward.dev/confirm-deactivation"));
    guard.remove();
}
