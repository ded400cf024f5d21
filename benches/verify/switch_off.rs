//! From a switch-off to the first refusal: keys and service accounts that a real controller works on,
//! switched off through the API server, while a client asks the verifier again and again.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use keyward::api::access_key::KeyState;
use keyward::api::{AccessKey, Account, ServiceAccount};
use keyward::domain::value::token::Token;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::wait::{Condition, await_condition};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;

use crate::support::{Failure, Running};
use crate::verify::client;
use crate::verify::progress::{done, progress};
use crate::verify::rounds::quantile;

/// Nothing may take longer.
const BOUND: Duration = Duration::from_mins(1);

/// What ends a key.
#[derive(Clone, Copy)]
enum End {
    KeyOff,
    KeyDeleted,
    ServiceAccountOff,
}

impl End {
    const ALL: [Self; 3] = [Self::KeyOff, Self::KeyDeleted, Self::ServiceAccountOff];

    fn name(self) -> &'static str {
        match self {
            Self::KeyOff => "key switched off",
            Self::KeyDeleted => "key deleted",
            Self::ServiceAccountOff => "service account switched off",
        }
    }

    /// Its key of the n-th service account.
    fn key(self, n: usize) -> String {
        match self {
            Self::KeyOff => format!("off-{n}"),
            Self::KeyDeleted => format!("deleted-{n}"),
            Self::ServiceAccountOff => format!("whole-{n}"),
        }
    }
}

pub async fn run(client: &Client, verifier: SocketAddr, rounds: usize) -> Result<(), Failure> {
    progress("switch-off: issuing keys");
    let namespace = prepare(client, rounds).await?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
    command.args(["controller", "--namespace", &namespace, "--leader-elect", "false"]);
    let _controller = Running::start(command.args(["--health-address", "127.0.0.1:0"]))?;
    let mut times = End::ALL.map(|end| (end, Vec::new()));
    for n in 0..rounds {
        progress(&format!("switch-off: round {} of {rounds}", n + 1));
        for (end, times) in &mut times {
            let token = token(client, &namespace, &end.key(n)).await?;
            times.push(one(client, &namespace, verifier, *end, n, &token).await?.as_secs_f64() * 1e3);
        }
    }
    done();
    println!("\nfrom sending the change to the API server until the first refusal, {rounds} rounds each");
    for (end, times) in times {
        let of = |part| quantile(times.iter().copied(), part);
        println!("  {:<28} median {:>5.1} ms, p99 {:>5.1} ms", end.name(), of(0.5), of(0.99));
    }
    Ok(())
}

/// Service accounts with a key for each end.
async fn prepare(client: &Client, count: usize) -> Result<String, Failure> {
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"generateName": "bench-off-"}}))?;
    let namespace = Api::all(client.clone()).create(&PostParams::default(), &namespace).await?.name_any();
    let account =
        Account::new("account", serde_json::from_value(json!({"limits": {"serviceAccounts": count}}))?);
    Api::namespaced(client.clone(), &namespace).create(&PostParams::default(), &account).await?;
    let service_accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), &namespace);
    let keys: Api<AccessKey> = Api::namespaced(client.clone(), &namespace);
    let create = |n: usize| {
        let (service_accounts, keys) = (service_accounts.clone(), keys.clone());
        async move {
            let name = format!("service-account-{n}");
            let object = ServiceAccount::new(&name, serde_json::from_value(json!({}))?);
            service_accounts.create(&PostParams::default(), &object).await?;
            for end in End::ALL {
                let spec = json!({"serviceAccountName": name, "validFor": "P6M"});
                let key = AccessKey::new(&end.key(n), serde_json::from_value(spec)?);
                keys.create(&PostParams::default(), &key).await?;
            }
            Ok::<_, Failure>(())
        }
    };
    stream::iter(0..count).map(create).buffer_unordered(16).try_collect::<Vec<_>>().await?;
    Ok(namespace)
}

/// The key's token, once the controller has issued it.
async fn token(client: &Client, namespace: &str, key: &str) -> Result<Token, Failure> {
    let keys: Api<AccessKey> = Api::namespaced(client.clone(), namespace);
    tokio::time::timeout(BOUND, await_condition(keys, key, is_active())).await??;
    let secret: Secret = Api::namespaced(client.clone(), namespace).get(key).await?;
    let token = secret.data.as_ref().and_then(|data| data.get("token")).ok_or("no token")?;
    Token::parse(std::str::from_utf8(&token.0)?).ok_or_else(|| "no token".into())
}

fn is_active() -> impl Condition<AccessKey> {
    |key: Option<&AccessKey>| {
        key.and_then(|key| key.status.as_ref()).and_then(|status| status.state) == Some(KeyState::Active)
    }
}

async fn one(
    client: &Client,
    namespace: &str,
    verifier: SocketAddr,
    end: End,
    n: usize,
    token: &Token,
) -> Result<Duration, Failure> {
    // A client address of its own: the answers to an address that fails again and again are held back.
    let address = format!("10.{}.{}.{}", end as u8, n / 250, n % 250 + 1);
    let request = format!(
        "GET /auth/nginx HTTP/1.1\r\nHost: h\r\nX-Real-IP: {address}\r\nAuthorization: Bearer {}\r\n\r\n",
        token.reveal()
    );
    let (good, let_in) = mpsc::channel();
    let asking = std::thread::spawn(move || ask_until_refused(verifier, &request, &good));
    let let_in = tokio::task::spawn_blocking(move || let_in.recv_timeout(BOUND)).await?;
    let_in.map_err(|_| "a good key is not let in")?;
    let start = Instant::now();
    carry_out(client, namespace, end, n).await?;
    let refused = tokio::task::spawn_blocking(move || asking.join()).await?;
    Ok(refused.map_err(|_| "the client ended")?? - start)
}

async fn carry_out(client: &Client, namespace: &str, end: End, n: usize) -> Result<(), Failure> {
    let (params, off) = (PatchParams::default(), Patch::Merge(json!({"spec": {"state": "Inactive"}})));
    let keys: Api<AccessKey> = Api::namespaced(client.clone(), namespace);
    match end {
        End::KeyOff => drop(keys.patch(&end.key(n), &params, &off).await?),
        End::KeyDeleted => drop(keys.delete(&end.key(n), &DeleteParams::default()).await?),
        End::ServiceAccountOff => {
            let service_accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
            service_accounts.patch(&format!("service-account-{n}"), &params, &off).await?;
        }
    }
    Ok(())
}

/// Says when the key is let in first, and gives the time at which it was not any more.
fn ask_until_refused(
    verifier: SocketAddr,
    request: &str,
    good: &mpsc::Sender<()>,
) -> Result<Instant, Failure> {
    let mut client = client::Client::connect(verifier)?;
    let start = Instant::now();
    // Right after its issue it may not be known yet.
    while client.ask(request)?.status != 200 {
        if start.elapsed() > BOUND {
            return Err("a good key is not let in".into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    good.send(())?;
    loop {
        match client.ask(request)?.status {
            200 if start.elapsed() < BOUND => {}
            401 => return Ok(Instant::now()),
            status => return Err(format!("a key that is off was answered {status}").into()),
        }
    }
}
