//! How fast keys are issued, as a ratio: the controller from cold start to all keys Active, against a bare
//! client that makes the same writes (Secret, Event, status) for as many keys at its best concurrency, in the
//! same run on the same API server. `make bench` starts the control plane; `KEYS` and `ROUNDS` set how many.

#[allow(dead_code, reason = "the other bench uses the rest")]
mod support;

use std::collections::HashSet;
use std::process::Command;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::api::events::v1::Event;
use keyward::api::access_key::KeyState;
use keyward::api::{AccessKey, Account, ServiceAccount};
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::watcher::{self, watcher};
use kube::runtime::{WatchStreamExt, reflector};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use support::{Failure, Running, install_crds, number};

const KEYS_PER_ACCOUNT: usize = 50;
const CONCURRENCIES: [usize; 3] = [32, 64, 128];
/// No run may take longer.
const BOUND: Duration = Duration::from_mins(5);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (keys, rounds) = (number("KEYS", 1000)?, number("ROUNDS", 2)?);
    let client = Client::try_default().await?;
    install_crds()?;
    println!("{keys} keys, {KEYS_PER_ACCOUNT} to a service account; best of {rounds} rounds each");
    let mut bare = (Duration::MAX, 0);
    let mut own = Duration::MAX;
    for round in 1..=rounds {
        for concurrency in CONCURRENCIES {
            let took = bare_client(&client, keys, concurrency).await?;
            println!("  round {round}: bare client, {concurrency:>3} at once: {}", rate(keys, took));
            bare = bare.min((took, concurrency));
        }
        let took = controller(&client, keys).await?;
        println!("  round {round}: controller from cold start:   {}", rate(keys, took));
        own = own.min(took);
    }
    println!("bare client at its best ({} at once): {}", bare.1, rate(keys, bare.0));
    println!("controller:                          {}", rate(keys, own));
    println!("ratio of times: {:.2} (aim: at most 1.25)", own.as_secs_f64() / bare.0.as_secs_f64());
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "no run has that many keys")]
fn rate(keys: usize, took: Duration) -> String {
    format!("{:.2} s, {:.0} keys a second", took.as_secs_f64(), keys as f64 / took.as_secs_f64())
}

/// A namespace with service accounts and keys that nobody works on yet.
async fn prepared(client: &Client, keys: usize) -> Result<String, Failure> {
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"generateName": "bench-"}}))?;
    let namespace = Api::all(client.clone()).create(&PostParams::default(), &namespace).await?.name_any();
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), &namespace);
    let count = keys.div_ceil(KEYS_PER_ACCOUNT);
    let spec = json!({"limits": {"serviceAccounts": count}});
    let account = Account::new("account", serde_json::from_value(spec)?);
    Api::namespaced(client.clone(), &namespace).create(&PostParams::default(), &account).await?;
    for n in 0..count {
        let object = ServiceAccount::new(&format!("sa-{n}"), serde_json::from_value(json!({}))?);
        accounts.create(&PostParams::default(), &object).await?;
    }
    let objects: Api<AccessKey> = Api::namespaced(client.clone(), &namespace);
    let create = |n: usize| {
        let spec = json!({"serviceAccountName": format!("sa-{}", n / KEYS_PER_ACCOUNT), "validFor": "P6M"});
        let objects = objects.clone();
        async move {
            let key = AccessKey::new(&format!("key-{n}"), serde_json::from_value(spec)?);
            objects.create(&PostParams::default(), &key).await?;
            Ok::<_, Failure>(())
        }
    };
    stream::iter(0..keys).map(create).buffer_unordered(64).try_collect::<Vec<_>>().await?;
    Ok(namespace)
}

/// The writes of a first issue, with content of the same size, and nothing else.
async fn bare_client(client: &Client, keys: usize, concurrency: usize) -> Result<Duration, Failure> {
    let namespace = prepared(client, keys).await?;
    let started = Instant::now();
    let write = |n: usize| write_one(client, &namespace, n);
    let all = stream::iter(0..keys).map(write).buffer_unordered(concurrency).try_collect::<Vec<_>>();
    tokio::time::timeout(BOUND, all).await??;
    Ok(started.elapsed())
}

async fn write_one(client: &Client, namespace: &str, n: usize) -> Result<(), Failure> {
    let name = format!("key-{n}");
    let text = |length: usize| "x".repeat(length);
    let secret: Secret = serde_json::from_value(json!({
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/managed-by": "bench"},
            "annotations": {"a": text(64), "b": text(20), "c": text(20), "d": text(36), "e": text(12), "f": "1"},
        },
        "type": "iam.keyward.dev/access-key",
        "stringData": {"token": text(65), "key-id": text(12), "service-account": text(5), "expires-at": text(20)},
    }))?;
    Api::namespaced(client.clone(), namespace).create(&PostParams::default(), &secret).await?;
    let event: Event = serde_json::from_value(json!({
        "metadata": {"name": format!("{name}.0123456789abcdef")}, "eventTime": "2026-01-01T00:00:00.000000Z",
        "action": "Issue", "reason": "Issued", "type": "Normal", "note": text(80),
        "reportingController": "iam.keyward.dev/bench", "reportingInstance": "bench",
        "regarding": {"apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey", "name": name, "namespace": namespace},
    }))?;
    Api::namespaced(client.clone(), namespace).create(&PostParams::default(), &event).await?;
    let objects: Api<AccessKey> = Api::namespaced(client.clone(), namespace);
    let params = PatchParams::apply("bench").force();
    objects.patch_status(&name, &params, &Patch::Apply(status(&name))).await?;
    Ok(())
}

fn status(name: &str) -> Value {
    let at = "2026-01-01T00:00:00Z";
    let message = "x".repeat(60);
    let condition = |type_: &str| json!({"type": type_, "status": "True", "reason": "Issued", "message": message, "lastTransitionTime": at, "observedGeneration": 1});
    json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey", "metadata": {"name": name},
        "status": {
            "observedGeneration": 1, "state": "Active", "secretName": name, "secretResourceVersion": "123456",
            "serviceAccountUID": "x".repeat(36), "conditions": [condition("Ready"), condition("Active")],
            "token": {"id": "x".repeat(12), "sha256": "x".repeat(64), "revision": 1, "issuedAt": at, "expiresAt": at},
            "auditLog": [{"id": "0123456789abcdef", "time": at, "actor": "controller", "action": "Issue",
                "object": format!("AccessKey/{name}"), "keyId": "x".repeat(12), "reason": "Issued", "message": "x".repeat(80)}],
        },
    })
}

/// The real program, from its start to the last key Active.
async fn controller(client: &Client, keys: usize) -> Result<Duration, Failure> {
    let namespace = prepared(client, keys).await?;
    let started = Instant::now();
    let process = Running::start(Command::new(env!("CARGO_BIN_EXE_keyward")).arg("controller").args([
        "--namespace",
        &namespace,
        "--leader-elect",
        "false",
        "--health-address",
        "127.0.0.1:0",
    ]))?;
    tokio::time::timeout(BOUND, all_active(client, &namespace, keys)).await??;
    let took = started.elapsed();
    println!(
        "    controller: {:.0} MB resident, {:.2} s of processor time",
        process.resident_megabytes()?,
        process.processor_seconds()?
    );
    Ok(took)
}

async fn all_active(client: &Client, namespace: &str, keys: usize) -> Result<(), Failure> {
    let objects: Api<AccessKey> = Api::namespaced(client.clone(), namespace);
    let (_, writer) = reflector::store();
    let events =
        watcher(objects, watcher::Config::default()).default_backoff().reflect(writer).applied_objects();
    let mut events = std::pin::pin!(events);
    let mut active = HashSet::new();
    while let Some(key) = events.try_next().await? {
        if key.status.as_ref().and_then(|status| status.state) == Some(KeyState::Active) {
            active.insert(key.name_any());
        }
        if active.len() == keys {
            return Ok(());
        }
    }
    Err("the watch ended".into())
}
