//! Limits and names: who is admitted, whatever races.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::future::join_all;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Secret;
use keyward::api::access_key::KeyState;
use keyward::api::service_account::ServiceAccountState;
use keyward::api::{AccessKey, ServiceAccount};
use kube::api::{DeleteParams, WatchEvent, WatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::support::{Controller, Flags, Scene, eventually, key_reason, message};

/// Records every version of the service accounts and keys that the API server ever had, and what they add up
/// to.
struct Recorder {
    seen: Arc<Mutex<Seen>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    versions: usize,
    most_seats: usize,
    most_active: usize,
    active: BTreeMap<String, bool>,
    tokens: BTreeMap<String, Vec<String>>,
    gone: Vec<String>,
}

impl Recorder {
    async fn start(scene: &Scene) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let (accounts, keys): (Api<ServiceAccount>, Api<AccessKey>) = (scene.api(), scene.api());
        let accounts = accounts.watch(&WatchParams::default(), "0").await.unwrap().boxed();
        let keys = keys.watch(&WatchParams::default(), "0").await.unwrap().boxed();
        let (of_accounts, of_keys) = (Arc::clone(&seen), Arc::clone(&seen));
        let accounts = tokio::spawn(accounts.try_for_each(move |event| {
            let mut seen = of_accounts.lock().unwrap();
            if let WatchEvent::Added(object) | WatchEvent::Modified(object) = event {
                seen.versions += 1;
                let seats = object.status.map(|status| status.seats.len()).unwrap_or_default();
                seen.most_seats = seen.most_seats.max(seats);
            }
            std::future::ready(Ok(()))
        }));
        let keys = tokio::spawn(keys.try_for_each(move |event| {
            of_keys.lock().unwrap().key(event);
            std::future::ready(Ok(()))
        }));
        let quiet = |task: tokio::task::JoinHandle<Result<(), kube::Error>>| {
            tokio::spawn(async move { task.await.unwrap().unwrap() })
        };
        Self { seen, tasks: vec![quiet(accounts), quiet(keys)] }
    }

    /// Asserts what must hold of all that was seen.
    fn finish(self, limit: usize) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
        let seen = self.seen.lock().unwrap();
        assert!(seen.versions > 0);
        assert_eq!(seen.most_seats, limit, "at no version more seats than the limit");
        assert_eq!(seen.most_active, limit, "at no version more active keys than the limit");
        for (uid, tokens) in &seen.tokens {
            assert_eq!(tokens.len(), 1, "key {uid} had one token in all its life");
        }
    }
}

impl Seen {
    fn key(&mut self, event: WatchEvent<AccessKey>) {
        match event {
            WatchEvent::Added(key) | WatchEvent::Modified(key) => {
                self.versions += 1;
                let uid = key.uid().unwrap();
                let status = key.status.unwrap_or_default();
                self.active.insert(uid.clone(), status.state == Some(KeyState::Active));
                let tokens = self.tokens.entry(uid).or_default();
                if let Some(token) = status.token.filter(|token| !tokens.contains(&token.sha256)) {
                    tokens.push(token.sha256);
                }
            }
            WatchEvent::Deleted(key) => {
                self.active.remove(&key.uid().unwrap());
                self.tokens.remove(&key.uid().unwrap());
                self.gone.push(key.name_any());
            }
            WatchEvent::Bookmark(_) => {}
            WatchEvent::Error(status) => panic!("{status:?}"),
        }
        self.tokens.retain(|_, tokens| !tokens.is_empty());
        self.most_active = self.most_active.max(self.active.values().filter(|active| **active).count());
    }
}

async fn split(scene: &Scene, ready: usize, rejected: usize) -> (Vec<AccessKey>, Vec<AccessKey>) {
    eventually(&format!("{ready} keys are issued and {rejected} rejected"), async || {
        let (good, bad): (Vec<_>, Vec<_>) =
            scene.keys().await.into_iter().partition(|key| key_reason(key) == "Issued");
        let limited = bad.iter().filter(|key| key_reason(key) == "KeyLimitExceeded").count();
        if good.len() == ready && limited == rejected && bad.len() == rejected {
            Ok((good, bad))
        } else {
            Err((good.len(), bad.len(), limited))
        }
    })
    .await
}

async fn sixty_keys(scene: &Scene) {
    scene.service_account("ci").await;
    join_all((0..60).map(|n| async move { scene.key(&format!("k{n:02}"), "ci").await })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_keys_applied_at_once_fifty_are_issued_and_freed_seats_go_to_the_oldest_waiting() {
    let (scene, _controller) = Scene::with_controller("sixty").await;
    let recorder = Recorder::start(&scene).await;
    sixty_keys(&scene).await;
    let (good, mut waiting) = split(&scene, 50, 10).await;
    assert!(message(&waiting[0]).starts_with(
        "ServiceAccount.iam.keyward.dev \"ci\" already has 50 of 50 access keys; delete one to proceed, for example \""
    ));
    let events = scene.event_reasons(&waiting[0]).await;
    assert_eq!(events, ["KeyLimitExceeded"]);

    waiting.sort_by_key(|key| (key.metadata.creation_timestamp.clone().unwrap().0, key.uid()));
    for key in good.iter().take(3) {
        scene.api::<AccessKey>().delete(&key.name_any(), &DeleteParams::default()).await.unwrap();
    }
    let (good, _) = split(&scene, 50, 7).await;
    let names: Vec<String> = good.iter().map(ResourceExt::name_any).collect();
    let came_in: Vec<String> =
        waiting.iter().map(ResourceExt::name_any).filter(|name| names.contains(name)).collect();
    let oldest: Vec<String> = waiting.iter().take(3).map(ResourceExt::name_any).collect();
    assert_eq!(came_in, oldest, "the three oldest waiting keys took the free seats");
    recorder.finish(50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_controllers_at_once_make_no_fifty_first_key_and_no_second_token() {
    let scene = Scene::new("two").await;
    let _one = Controller::start(&scene, Flags::default()).await;
    let _two = Controller::start(&scene, Flags::default()).await;
    let recorder = Recorder::start(&scene).await;
    sixty_keys(&scene).await;
    let (good, _) = split(&scene, 50, 10).await;
    for key in good {
        let token = scene.token(&key.name_any()).await;
        assert!(
            token.has_sha256(&key.status.unwrap().token.unwrap().sha256),
            "the Secret holds the recorded token"
        );
    }
    recorder.finish(50);
}

#[tokio::test]
async fn the_twenty_sixth_service_account_waits_for_a_free_place() {
    let (scene, _controller) = Scene::with_controller("twenty-six").await;
    let first: Vec<String> = (0..26).map(|n| format!("sa{n:02}")).collect();
    for name in &first {
        scene.service_account(name).await;
    }
    let accounts = scene.api::<ServiceAccount>();
    let split = async |admitted: usize, rejected: usize| {
        eventually("the service accounts are decided", async || {
            let all = accounts.list(&kube::api::ListParams::default()).await.unwrap().items;
            let count =
                |state| all.iter().filter(|a| a.status.as_ref().and_then(|s| s.state) == Some(state)).count();
            let found = (count(ServiceAccountState::Active), count(ServiceAccountState::Rejected));
            if found == (admitted, rejected) { Ok(all) } else { Err(found) }
        })
        .await
    };
    let all = split(25, 1).await;
    let state = |a: &ServiceAccount| a.status.as_ref().unwrap().state.unwrap();
    let refused = all.iter().find(|a| state(a) == ServiceAccountState::Rejected).unwrap();
    let status = refused.status.clone().unwrap();
    assert_eq!(status.conditions[0].reason, "ServiceAccountLimitExceeded");
    assert_eq!(
        status.conditions[0].message,
        "The account already has 25 of 25 service accounts; delete one to proceed"
    );
    assert_eq!(scene.event_reasons(refused).await, ["ServiceAccountLimitExceeded"]);

    let name = refused.name_any();
    scene.key("deploy", &name).await;
    let key = scene.key_when("deploy", "ServiceAccountRejected").await;
    assert!(
        message(&key).contains("is not admitted itself: the account already has 25 of 25 service accounts")
    );
    let other = all.iter().find(|a| state(a) == ServiceAccountState::Active).unwrap();
    accounts.delete(&other.name_any(), &DeleteParams::default()).await.unwrap();
    split(25, 0).await;
    scene.key_when("deploy", "Issued").await;
}

#[tokio::test]
async fn a_lowered_limit_rejects_the_youngest_and_a_raised_one_brings_it_back_with_its_token() {
    let (scene, _controller) = Scene::with_controller("lowered").await;
    scene.service_account("ci").await;
    scene.key("a", "ci").await;
    scene.key_when("a", "Issued").await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await; // creationTimestamp has whole seconds
    scene.key("b", "ci").await;
    scene.key_when("b", "Issued").await;
    let token = scene.token("b").await.sha256();
    scene.limits(json!({"accessKeysPerServiceAccount": 1})).await;
    scene.key_when("b", "KeyLimitExceeded").await;
    assert_eq!(key_reason(&scene.get::<AccessKey>("a").await), "Issued");
    scene.limits(json!({"accessKeysPerServiceAccount": 2})).await;
    scene.key_when("b", "Issued").await;
    assert_eq!(scene.token("b").await.sha256(), token);
    scene.get::<Secret>("b").await;
}

#[tokio::test]
async fn a_display_name_is_held_by_one_service_account_without_regard_to_case() {
    let (scene, _controller) = Scene::with_controller("names").await;
    let named = async |name: &str, display_name: &str| {
        let object =
            ServiceAccount::new(name, crate::support::from_json(json!({"displayName": display_name})));
        scene.api().create(&Default::default(), &object).await.unwrap()
    };
    named("one", "Café").await;
    scene.service_account_when("one", "Admitted").await;
    named("two", "CAFÉ").await;
    let two = scene.service_account_when("two", "DuplicateDisplayName").await;
    assert_eq!(
        two.status.unwrap().conditions[0].message,
        "Display name \"CAFÉ\" (spec.displayName) is held by ServiceAccount.iam.keyward.dev \"one\"; choose one that no other service \
         account of the account has, without regard to upper and lower case"
    );
    scene.set::<ServiceAccount>("one", json!({"displayName": "Bistro"})).await;
    scene.service_account_when("two", "Admitted").await;
    // A rename to a taken name is refused, and the keys go on working.
    scene.key("deploy", "one").await;
    scene.key_when("deploy", "Issued").await;
    scene.set::<ServiceAccount>("one", json!({"displayName": "café"})).await;
    let one = scene.service_account_when("one", "DuplicateDisplayName").await;
    assert_eq!(one.status.unwrap().display_name.as_deref(), Some("Bistro"));
    assert_eq!(key_reason(&scene.get::<AccessKey>("deploy").await), "Issued");
}

#[tokio::test]
async fn lost_seats_are_rebuilt_from_the_keys_that_hold_a_token() {
    let (scene, mut controller) = Scene::with_controller("lost").await;
    scene.limits(json!({"accessKeysPerServiceAccount": 2})).await;
    scene.service_account("ci").await;
    // The oldest, and without a seat.
    scene.key_with("a", "ci", json!({"validFor": "P6M", "state": "Inactive"})).await;
    scene.key_when("a", "Inactive").await;
    for name in ["b", "c"] {
        scene.key(name, "ci").await;
        scene.key_when(name, "Issued").await;
    }
    scene.set::<AccessKey>("a", json!({"state": "Active"})).await;
    scene.key_when("a", "KeyLimitExceeded").await;
    controller.terminate();
    // As a backup brings it back: without status.
    let lost = json!({"status": null});
    let patch = kube::api::Patch::Merge(lost);
    scene.api::<ServiceAccount>().patch_status("ci", &Default::default(), &patch).await.unwrap();
    scene.api::<keyward::api::Account>().patch_status("account", &Default::default(), &patch).await.unwrap();
    let _controller = Controller::start(&scene, Flags::default()).await;
    let object = scene.service_account_when("ci", "Admitted").await;
    let mut seated: Vec<String> = object.status.unwrap().seats.into_iter().map(|seat| seat.name).collect();
    seated.sort();
    assert_eq!(seated, ["b", "c"]);
}
