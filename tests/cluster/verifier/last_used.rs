//! When keys were last used: recorded forward only, by several verifiers, and with at most an interval lost.

use chrono::{DateTime, TimeDelta, Utc};
use keyward::api::{AccessKey, Account, ServiceAccount};
use keyward::runtime::clock::now;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::support::{Scene, Verifier, eventually};

async fn recorded(scene: &Scene, key: &str) -> Option<DateTime<Utc>> {
    scene.get::<AccessKey>(key).await.status.unwrap().last_used_at
}

async fn recorded_from(scene: &Scene, key: &str, least: DateTime<Utc>) -> DateTime<Utc> {
    eventually("the use is recorded", async || {
        let found = recorded(scene, key).await;
        found.filter(|at| *at >= least).ok_or(found)
    })
    .await
}

fn this_second() -> DateTime<Utc> {
    keyward::domain::value::time::whole_seconds(now())
}

#[tokio::test]
async fn use_shows_on_the_key_its_service_account_and_the_account() {
    let (scene, _controller) = Scene::with_controller("used").await;
    let token = scene.issued("ci").await;
    let verifier = Verifier::start(&scene, &[]).await;
    assert_eq!(recorded(&scene, "ci-key").await, None);
    let start = this_second();
    verifier.answers(&token, 200).await;
    let at = recorded_from(&scene, "ci-key", start).await;
    assert!(at <= now());
    let object = scene
        .service_account_once("ci", "was accessed", |object: &ServiceAccount| {
            object.status.as_ref().is_some_and(|status| status.last_accessed_at == Some(at))
        })
        .await;
    drop(object);
    scene
        .account_once("shows it", |account: &Account| {
            let status = serde_json::to_value(&account.status).unwrap();
            status["snapshot"]["serviceAccounts"][0]["lastAccessedAt"]
                == keyward::domain::value::time::rfc3339(at)
        })
        .await;
    let table = scene.kubectl_text(&["get", "kwkey", "ci-key", "--no-headers"]);
    assert!(!table.contains("<unknown>") && !table.contains("<none>"), "{table}");
}

#[tokio::test]
async fn the_record_never_goes_back() {
    let (scene, _controller) = Scene::with_controller("forward").await;
    let token = scene.issued("ci").await;
    let later = this_second() + TimeDelta::hours(1);
    let status = json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey", "metadata": {"name": "ci-key"},
        "status": {"lastUsedAt": keyward::domain::value::time::rfc3339(later)},
    });
    let params = PatchParams::apply("keyward-verifier").force();
    scene.api::<AccessKey>().patch_status("ci-key", &params, &Patch::Apply(status)).await.unwrap();
    let verifier = Verifier::start(&scene, &[]).await;
    let other = scene.issued("other").await;
    verifier.answers(&token, 200).await;
    verifier.answers(&other, 200).await;
    // The flush that recorded this one had the other too.
    recorded_from(&scene, "other-key", now() - TimeDelta::minutes(1)).await;
    assert_eq!(recorded(&scene, "ci-key").await, Some(later));
}

#[tokio::test]
async fn of_two_verifiers_none_loses_what_the_other_saw() {
    let (scene, _controller) = Scene::with_controller("two").await;
    let (one, two) = (scene.issued("one").await, scene.issued("two").await);
    let verifiers = [Verifier::start(&scene, &[]).await, Verifier::start(&scene, &[]).await];
    let mut last = this_second();
    for round in 0..30 {
        for (verifier, token) in verifiers.iter().zip([&one, &two]) {
            let token = if round % 2 == 0 { token } else { &one };
            last = this_second();
            assert_eq!(verifier.auth("", token, &[]).await.status, 200);
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    recorded_from(&scene, "one-key", last).await;
    recorded_from(&scene, "two-key", last - TimeDelta::seconds(2)).await;
}

#[tokio::test]
async fn a_verifier_that_ends_writes_what_it_knows_and_a_killed_one_loses_an_interval_at_most() {
    let (scene, _controller) = Scene::with_controller("killed").await;
    let token = scene.issued("ci").await;
    let mut verifier = Verifier::start(&scene, &["--usage-interval-seconds", "3600"]).await;
    let start = this_second();
    verifier.answers(&token, 200).await;
    assert!(verifier.terminate().success());
    assert!(recorded(&scene, "ci-key").await.is_some_and(|at| at >= start));

    let mut verifier = Verifier::start(&scene, &["--usage-interval-seconds", "2"]).await;
    let until = now() + TimeDelta::seconds(30);
    while now() < until {
        assert_eq!(verifier.auth("", &token, &[]).await.status, 200);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let killed = this_second();
    verifier.kill();
    let at = recorded(&scene, "ci-key").await.unwrap();
    // An interval of 2 s with a fifth more, and up to 15 s for the write on a busy machine: half of its use.
    assert!(killed - at <= TimeDelta::milliseconds(17_400), "killed at {killed}, recorded is {at}");
}
