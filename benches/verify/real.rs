//! The real program on the real API server: its memory with stored keys, how fast it answers, and how soon it
//! refuses.

use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use keyward::api::{AccessKey, ResourceGrant, ServiceAccount};
use keyward::runtime::sealing;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;

use crate::support::{Failure, Running, install_crds, number};
use crate::verify::client;
use crate::verify::keys::{self, Owner};
use crate::verify::processors::Processors;
use crate::verify::progress::{done, progress};
use crate::verify::report;
use crate::verify::rounds::{Rounds, measure, rows};
use crate::verify::subject::{KEPT_MEMORY, Subject, free_address, wait_for};
use crate::verify::switch_off;

/// How many writes are under way at once.
const WRITES: usize = 64;
/// How long the verifier may take to list what is stored.
const SYNC: Duration = Duration::from_mins(3);

pub fn run(processors: &Processors, folder: &Path, rounds: &Rounds) -> Result<(), Failure> {
    let (stored, switches) = (number("STORED", 2000)?, number("SWITCHES", 100)?);
    install_crds()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = runtime.block_on(async {
        let client = Client::try_default().await?;
        fill(&client, stored).await?;
        Ok::<_, Failure>(client)
    })?;
    let requests = Rc::new(keys::requests("/auth", stored)?);
    let verifier = processors.on_servers(|| verifier(requests, folder))?;
    done();
    println!(
        "\nthe program itself, {stored} keys of {} service accounts in the API server",
        keys::service_accounts(stored)
    );
    println!("  resident: {:.1} MB once it is ready", verifier.process.resident_megabytes()?);
    verifier.checks("/auth", stored, true)?;
    let subjects = [verifier];
    report::table(&rows(measure(&subjects, rounds)?));
    let [verifier] = subjects;
    println!("  resident: {:.1} MB at the end", verifier.process.resident_megabytes()?);
    runtime.block_on(switch_off::run(&client, verifier.address, switches))
}

/// Starts it, and waits until it is ready.
fn verifier(requests: Rc<Vec<Vec<u8>>>, folder: &Path) -> Result<Subject, Failure> {
    let (address, health) = (free_address()?, free_address()?);
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
    command.envs([KEPT_MEMORY]);
    command.args(["verifier", "--listen-address", &address.to_string()]);
    command.args(["--health-address", &health.to_string()]);
    // Each switch-off comes from a client of its own, as a gateway would say it.
    command.args(["--trusted-proxies", "127.0.0.1"]);
    command.env("TOKIO_WORKER_THREADS", "1").current_dir(folder);
    let mut process = Running::start(&mut command)?;
    wait_for(&mut process, health)?;
    let start = Instant::now();
    while client::Client::connect(health)?.ask("GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n")?.status != 200 {
        process.check()?;
        if start.elapsed() > SYNC {
            return Err("the verifier does not get ready".into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(Subject { name: "the verifier", address, process, requests })
}

/// Stores keys as the controller would have left them. No controller works in their namespaces.
async fn fill(client: &Client, count: usize) -> Result<(), Failure> {
    let service_accounts = keys::service_accounts(count);
    let accounts = (0..service_accounts).map(|n| keys::owner_of_service_account(n).account + 1).max();
    for n in 0..accounts.unwrap_or_default() {
        let name = Owner { account: n, service_account: 0 }.namespace();
        let namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
        Api::<k8s_openapi::api::core::v1::Namespace>::all(client.clone())
            .create(&PostParams::default(), &namespace)
            .await?;
    }
    let sealing = ConfigMap {
        metadata: serde_json::from_value(json!({"name": sealing::NAME}))?,
        data: Some(keys::published()?.data()?),
        ..ConfigMap::default()
    };
    Api::<ConfigMap>::default_namespaced(client.clone()).create(&PostParams::default(), &sealing).await?;
    let start = Instant::now();
    let uids: Vec<String> = stream::iter(0..service_accounts)
        .map(|n| fill_service_account(client, n))
        .buffered(WRITES)
        .try_collect()
        .await?;
    let mut done = 0;
    let mut filled = stream::iter(0..count).map(|n| fill_key(client, n, &uids)).buffer_unordered(WRITES);
    while filled.try_next().await?.is_some() {
        done += 1;
        if done % 1000 == 0 {
            progress(&format!("storing keys: {done} of {count}, {:.0} s", start.elapsed().as_secs_f64()));
        }
    }
    Ok(())
}

/// Gives its UID.
async fn fill_service_account(client: &Client, n: usize) -> Result<String, Failure> {
    let namespace = keys::owner_of_service_account(n).namespace();
    let mut object = keys::service_account(n)?;
    object.metadata.uid = None;
    object.metadata.resource_version = None;
    let api: Api<ServiceAccount> = Api::namespaced(client.clone(), &namespace);
    let stored = api.create(&PostParams::default(), &object).await?;
    let api: Api<ResourceGrant> = Api::namespaced(client.clone(), &namespace);
    api.create(&PostParams::default(), &keys::grant(n)?).await?;
    stored.uid().ok_or_else(|| "no UID".into())
}

async fn fill_key(client: &Client, n: usize, uids: &[String]) -> Result<(), Failure> {
    let owner = Owner::of(n);
    let uid = uids.get(owner.service_account).ok_or("no such service account")?;
    let api: Api<AccessKey> = Api::namespaced(client.clone(), &owner.namespace());
    let key = AccessKey::new(&keys::name(n), serde_json::from_value(keys::spec(n))?);
    let key = api.create(&PostParams::default(), &key).await?.uid().ok_or("no UID")?;
    let status = json!({"status": keys::status(n, uid, &key)?});
    api.patch_status(&keys::name(n), &PatchParams::default(), &Patch::Merge(status)).await?;
    Ok(())
}
