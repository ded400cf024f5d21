//! The sealing key: what a loss of it costs, and how tokens from before there were seals come under one.

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use keyward::api::AccessKey;
use keyward::domain::value::token::Token;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::support::{Controller, Flags, Scene, Verifier, eventually};

const NAME: &str = "keyward-sealing";

async fn forget_secret(scene: &Scene) {
    scene.api::<Secret>().delete(NAME, &DeleteParams::default()).await.unwrap();
}

async fn forget_config_map(scene: &Scene) {
    scene.api::<ConfigMap>().delete(NAME, &DeleteParams::default()).await.unwrap();
}

/// How many public keys verifiers know, and whether seals are demanded.
async fn published(scene: &Scene) -> (usize, bool) {
    let data = scene.get::<ConfigMap>(NAME).await.data.unwrap();
    let keys: Vec<String> = serde_json::from_str(&data["public-keys.json"]).unwrap();
    (keys.len(), data.contains_key("sealed-since"))
}

#[tokio::test]
async fn two_controllers_that_start_at_once_seal_with_one_key() {
    let scene = Scene::new("first-starts").await;
    let (one, two) = futures::join!(
        Controller::launch(&scene, Flags::default()),
        Controller::launch(&scene, Flags::default())
    );
    futures::join!(one.ready(), two.ready());
    let token = scene.issued("ci").await;
    drop(one);
    let later = scene.issued("later").await;
    assert_eq!(published(&scene).await, (1, true));
    let verifier = Verifier::start(&scene, &[]).await;
    verifier.answers(&token, 200).await;
    verifier.answers(&later, 200).await;
    let sealed_by = async |name: &str| {
        let key: AccessKey = scene.get(name).await;
        key.status.unwrap().seal.unwrap().signed_by
    };
    assert_eq!(sealed_by("ci-key").await, sealed_by("later-key").await);
    drop(two);
}

#[tokio::test]
async fn a_lost_sealing_key_ends_no_token() {
    let (scene, controller) = Scene::with_controller("lost-key").await;
    let token = scene.issued("ci").await;
    assert_eq!(published(&scene).await, (1, true));
    drop(controller);
    forget_secret(&scene).await;
    let controller = Controller::start(&scene, Flags::default()).await;
    let verifier = Verifier::start(&scene, &[]).await;
    let later = scene.issued("later").await;
    assert_eq!(published(&scene).await, (2, true));
    verifier.answers(&later, 200).await;
    verifier.answers(&token, 200).await;
    assert_eq!(scene.token("ci-key").await.sha256(), token.sha256());

    // Once nothing is sealed with it any more, the old key is not believed either.
    scene.set::<AccessKey>("ci-key", json!({"revision": 2})).await;
    scene
        .key_once("ci-key", "is rotated", |key| {
            key.status.as_ref().unwrap().token.as_ref().is_some_and(|token| token.revision == 2)
        })
        .await;
    drop(controller);
    let _controller = Controller::start(&scene, Flags::default()).await;
    eventually("one key is left", async || {
        let published = published(&scene).await;
        if published == (1, true) { Ok(()) } else { Err(published) }
    })
    .await;
    verifier.answers(&scene.token("ci-key").await, 200).await;
    verifier.answers(&later, 200).await;
}

#[tokio::test]
async fn with_the_public_keys_lost_too_every_key_gets_a_new_token_and_says_why() {
    let (scene, controller) = Scene::with_controller("lost-both").await;
    let token = scene.issued("ci").await;
    drop(controller);
    forget_secret(&scene).await;
    forget_config_map(&scene).await;
    let _controller = Controller::start(&scene, Flags::default()).await;
    let key = scene
        .key_once("ci-key", "has another token", |key| {
            key.status.as_ref().unwrap().token.as_ref().is_some_and(|now| now.sha256 != token.sha256())
        })
        .await;
    let log = key.status.unwrap().audit_log;
    assert!(log.iter().any(|entry| entry.reason == "NotSealed"), "{log:?}");
    assert_eq!(published(&scene).await, (1, true), "nothing without a seal is taken over");
    let verifier = Verifier::start(&scene, &[]).await;
    verifier.answers(&scene.token("ci-key").await, 200).await;
    verifier.answers(&token, 401).await;
}

#[tokio::test]
async fn tokens_from_before_there_were_seals_are_sealed_once_and_stay_good() {
    let (scene, controller) = Scene::with_controller("adopted").await;
    let token = scene.issued("ci").await;
    drop(controller);
    forget_secret(&scene).await;
    forget_config_map(&scene).await;
    // As a version without seals leaves it.
    let patch = json!({"status": {"seal": null, "serial": null}}).to_string();
    scene.kubectl_text(&["patch", "kwkey", "ci-key", "--subresource=status", "--type=merge", "-p", &patch]);
    scene.kubectl_text(&["annotate", "secret", "ci-key", "iam.keyward.dev/seal-", "iam.keyward.dev/serial-"]);
    let seats: Value = json!({"status": {"seats": [seat(&scene).await]}});
    scene.kubectl_text(&[
        "patch",
        "kwsa",
        "ci",
        "--subresource=status",
        "--type=merge",
        "-p",
        &seats.to_string(),
    ]);

    let _controller = Controller::start(&scene, Flags::default()).await;
    scene.key_once("ci-key", "is sealed", |key| key.status.as_ref().unwrap().seal.is_some()).await;
    eventually("seals are demanded", async || {
        let published = published(&scene).await;
        if published == (1, true) { Ok(()) } else { Err(published) }
    })
    .await;
    let verifier = Verifier::start(&scene, &[]).await;
    verifier.answers(&token, 200).await;
    eventually("the Secret is sealed too", async || {
        let secret: Secret = scene.get("ci-key").await;
        let annotations = secret.metadata.annotations.unwrap_or_default();
        if annotations.contains_key("iam.keyward.dev/seal") { Ok(()) } else { Err(annotations) }
    })
    .await;
    assert_eq!(scene.token("ci-key").await.sha256(), token.sha256());
}

/// As docs/operations.md says it for who comes back from a version without seals.
#[tokio::test]
async fn what_an_older_version_issued_after_a_rollback_is_sealed_and_stays_good() {
    let (scene, controller) = Scene::with_controller("rolled-back").await;
    let before = scene.issued("ci").await;
    drop(controller);
    // The older version issues a token: it knows neither seal nor serial, and its writes take the seal out of
    // status.
    let issued = Token::from_random(&[7; 64]).unwrap();
    let key: AccessKey = scene.get("ci-key").await;
    let mut token = serde_json::to_value(key.status.unwrap().token.unwrap()).unwrap();
    token["id"] = json!(issued.id());
    token["sha256"] = json!(issued.sha256());
    token["revision"] = json!(2);
    let status = json!({"status": {"token": token, "seal": null, "serial": null}}).to_string();
    scene.kubectl_text(&["patch", "kwkey", "ci-key", "--subresource=status", "--type=merge", "-p", &status]);
    let data = json!({"stringData": {"token": issued.reveal(), "key-id": issued.id(), "revision": "2"}});
    let annotations = json!({
        "iam.keyward.dev/key-id": issued.id(), "iam.keyward.dev/revision": "2",
        "iam.keyward.dev/seal": null, "iam.keyward.dev/serial": null,
    });
    let mut secret = data;
    secret["metadata"] = json!({"annotations": annotations});
    scene.kubectl_text(&["patch", "secret", "ci-key", "--type=merge", "-p", &secret.to_string()]);

    forget_secret(&scene).await;
    forget_config_map(&scene).await;
    let _controller = Controller::start(&scene, Flags::default()).await;
    scene.key_once("ci-key", "is sealed", |key| key.status.as_ref().unwrap().seal.is_some()).await;
    let verifier = Verifier::start(&scene, &[]).await;
    verifier.answers(&issued, 200).await;
    verifier.answers(&before, 401).await;
    assert_eq!(scene.token("ci-key").await.sha256(), issued.sha256());
}

/// The key's seat as it was before there were serials.
async fn seat(scene: &Scene) -> Value {
    let key: AccessKey = scene.get("ci-key").await;
    json!({"uid": key.metadata.uid, "name": "ci-key"})
}

#[tokio::test]
async fn a_verifier_refuses_everything_until_a_controller_has_made_its_keys_known() {
    let scene = Scene::new("keyless").await;
    let verifier = Verifier::launch(&scene, &[], None, None).await;
    eventually("it says what it waits for", async || {
        let log = verifier.log();
        if log.contains("no public sealing keys yet") { Ok(()) } else { Err(log) }
    })
    .await;
    assert_ne!(verifier.get("readyz").as_deref(), Some("ok\n"));
    let _controller = Controller::start(&scene, Flags::default()).await;
    verifier.ready().await;
    verifier.answers(&scene.issued("ci").await, 200).await;
}
