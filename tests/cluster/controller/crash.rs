//! kill -9 at every write, before and after it reached the API server: another controller takes it from
//! there, and no token that ever stood in a Secret is lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::Method;
use k8s_openapi::api::core::v1::Secret;
use keyward::api::AccessKey;
use keyward::api::access_key::AccessKeyStatus;
use serde_json::json;

use crate::support::{Controller, Fault, Flags, Proxy, Scene, eventually, run, token_of};

/// More writes than it takes to issue a key.
const MOST_WRITES: u32 = 16;

fn is_write(method: &Method, path: &str) -> bool {
    *method != Method::GET && !path.starts_with("/apis/authorization.k8s.io/")
}

fn is_key_status(method: &Method, path: &str) -> bool {
    *method == Method::PATCH && path.contains("/accesskeys/") && path.ends_with("/status")
}

/// A controller behind a proxy that kills it at a write.
async fn doomed(
    scene: &Scene,
    proxy: &Proxy,
    at: u32,
    after: bool,
    counts: fn(&Method, &str) -> bool,
) -> Controller {
    let pid = Arc::new(AtomicU32::new(0));
    let victim = Arc::clone(&pid);
    let strike = move || {
        let pid = victim.load(Ordering::SeqCst).to_string();
        run("kill", &["-9", &pid], "");
    };
    proxy.set(Fault { at, after, counts, strike: Box::new(strike) });
    let controller = Controller::launch(
        scene,
        Flags { through: Some(proxy.url.clone()), no_quota: true, ..Flags::default() },
    )
    .await;
    pid.store(controller.pid(), Ordering::SeqCst);
    controller
}

async fn hash_in_secret(scene: &Scene) -> Option<String> {
    let secret = scene.api::<Secret>().get_opt("deploy").await.unwrap()?;
    token_of(&secret, "token").map(|token| token.sha256())
}

/// The recorded token and the one in the Secret are the same.
async fn agreed(scene: &Scene, is_so: impl Fn(&AccessKeyStatus) -> bool) -> String {
    eventually("status and Secret agree", async || {
        let status = scene.get::<AccessKey>("deploy").await.status.unwrap_or_default();
        let recorded = status.token.as_ref().map(|token| token.sha256.clone());
        let held = hash_in_secret(scene).await;
        match recorded {
            Some(hash) if held.as_ref() == Some(&hash) && status.next_token.is_none() && is_so(&status) => {
                Ok(hash)
            }
            _ => Err((status.token, status.next_token, held.is_some())),
        }
    })
    .await
}

/// Dies at each write of a first issue in turn; gives back at how many it could.
async fn die_at_each_write(after: bool) -> u32 {
    let proxy = Proxy::start().await;
    for at in 1..=MOST_WRITES {
        let scene = Scene::new(if after { "dies-after" } else { "dies-before" }).await;
        scene.service_account("ci").await;
        scene.key("deploy", "ci").await;
        let mut controller = doomed(&scene, &proxy, at, after, is_write).await;
        let died = eventually("it dies, or has nothing left to write", async || {
            let settled =
                scene.get::<AccessKey>("deploy").await.status.is_some_and(|status| status.token.is_some())
                    && scene
                        .get::<keyward::api::ServiceAccount>("ci")
                        .await
                        .status
                        .and_then(|s| s.keys)
                        .is_some_and(|k| k.active == 1);
            match (controller.is_running(), settled) {
                (false, _) => Ok(true),
                (true, true) => Ok(false),
                (true, false) => Err("running"),
            }
        })
        .await;
        let published = hash_in_secret(&scene).await;
        let _next = Controller::start(&scene, Flags { no_quota: true, ..Flags::default() }).await;
        let hash = agreed(&scene, |_| true).await;
        assert!(
            published.is_none_or(|published| published == hash),
            "the published token was lost at write {at}"
        );
        let key = scene.key_when("deploy", "Issued").await;
        assert_eq!(scene.event_reasons(&key).await, ["Issued"], "told once, at write {at}");
        if !died {
            return at - 1;
        }
    }
    panic!("more than {MOST_WRITES} writes for one key");
}

#[tokio::test]
async fn a_controller_killed_before_any_write_of_a_first_issue_is_made_up_for() {
    assert!(die_at_each_write(false).await >= 8);
}

#[tokio::test]
async fn a_controller_killed_after_any_write_of_a_first_issue_is_made_up_for() {
    assert!(die_at_each_write(true).await >= 8);
}

#[tokio::test]
async fn killed_between_the_secret_and_the_status_the_token_in_the_secret_stands() {
    let scene = Scene::new("between").await;
    let proxy = Proxy::start().await;
    scene.service_account("ci").await;
    scene.key("deploy", "ci").await;
    let mut controller = doomed(&scene, &proxy, 1, false, is_key_status).await;
    controller.exit().await;
    let published = hash_in_secret(&scene).await.expect("the Secret is written first");
    assert!(
        scene.get::<AccessKey>("deploy").await.status.unwrap().token.is_none(),
        "the status was not written"
    );
    let _next = Controller::start(&scene, Flags { no_quota: true, ..Flags::default() }).await;
    assert_eq!(agreed(&scene, |_| true).await, published);
}

#[tokio::test]
async fn a_controller_killed_at_any_write_of_a_rotation_loses_no_published_token() {
    let scene = Scene::new("rotation-dies").await;
    let proxy = Proxy::start().await;
    scene.service_account("ci").await;
    let rotation = json!({"renewBefore": "P1D", "overlap": "P7D"});
    scene.key_with("deploy", "ci", json!({"validFor": "P6M", "rotation": rotation})).await;
    {
        let _first = Controller::start(&scene, Flags { no_quota: true, ..Flags::default() }).await;
        scene.key_when("deploy", "Issued").await;
    }
    let mut deaths = BTreeSet::new();
    for (revision, (at, after)) in
        (2..).zip([(1, false), (1, true), (2, false), (2, true), (3, true), (4, false)])
    {
        let mut doomed = doomed(&scene, &proxy, at, after, is_write).await;
        doomed.ready().await;
        scene.set::<AccessKey>("deploy", json!({"revision": revision})).await;
        doomed.exit().await;
        let status = scene.get::<AccessKey>("deploy").await.status.unwrap();
        let published = hash_in_secret(&scene).await.unwrap();
        let good = [status.token, status.next_token, status.previous_token.map(|previous| previous.token)];
        let good: Vec<String> = good.into_iter().flatten().map(|token| token.sha256).collect();
        assert!(good.contains(&published), "the token in the Secret is good at write {at}");
        let _next = Controller::start(&scene, Flags { no_quota: true, ..Flags::default() }).await;
        let hash =
            agreed(&scene, |status| status.token.as_ref().is_some_and(|token| token.revision == revision))
                .await;
        if good.iter().position(|hash| *hash == published) == Some(1) {
            assert_eq!(hash, published, "a published successor is kept");
        }
        deaths.insert((at, after));
    }
    assert_eq!(deaths.len(), 6);
}
