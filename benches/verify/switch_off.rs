//! From the switch to the first refusal, with the real programs on the real API server.

use std::process::Command;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use keyward::api::{AccessKey, ServiceAccount, crds};
use keyward::domain::token::Token;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Failure;
use crate::others::{Process, free};

const ROUNDS: u32 = 30;
/// No step may take longer.
const BOUND: Duration = Duration::from_mins(1);
/// Between questions whether a key is good again: failures beyond 5 a second would be slowed down.
const PAUSE: Duration = Duration::from_millis(250);

/// Switches a key off and on again.
pub fn measure() -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let client = Client::try_default().await?;
        install()?;
        let (controller, verifier) = (free()?, free()?);
        let namespace: Namespace = serde_json::from_value(json!({"metadata": {"generateName": "bench-"}}))?;
        let namespace =
            Api::all(client.clone()).create(&PostParams::default(), &namespace).await?.name_any();
        let health = controller.to_string();
        let _controller = keyward(&["controller", "--namespace", &namespace, "--leader-elect", "false", "--health-address", &health], controller)?;
        let address = verifier.to_string();
        let _verifier = keyward(&["verifier", "--namespace", &namespace, "--listen-address", &address, "--health-address", "127.0.0.1:0"], verifier)?;
        let keys: Api<AccessKey> = Api::namespaced(client.clone(), &namespace);
        let token = issued(&client, &namespace).await?;
        let request = format!("GET /auth HTTP/1.1\r\nhost: bench\r\nx-api-key: {}\r\n\r\n", token.reveal());
        let mut stream = TcpStream::connect(verifier).await?;
        let (mut whole, mut after) = (Histogram::<u64>::new(3)?, Histogram::<u64>::new(3)?);
        for _ in 0..ROUNDS {
            until(&mut stream, &request, true, PAUSE).await?;
            let start = Instant::now();
            let patch = switch(&keys, "Inactive");
            let refused = until(&mut stream, &request, false, Duration::ZERO);
            let (patched, refused) = tokio::join!(async { patch.await.map(|()| Instant::now()) }, refused);
            let (patched, refused) = (patched?, refused?);
            whole.record(u64::try_from((refused - start).as_micros())?)?;
            after.record(u64::try_from(refused.saturating_duration_since(patched).as_micros())?)?;
            switch(&keys, "Active").await?;
        }
        let shown = |taken: &Histogram<u64>| {
            let micros = |quantile| Duration::from_micros(taken.value_at_quantile(quantile)).as_secs_f64() * 1000.0;
            format!("median {:.1} ms, p99 {:.1} ms", micros(0.5), micros(0.99))
        };
        println!("switched off, from sending the change to the first refusal: {} (aim: under 100 ms at the median)", shown(&whole));
        println!("  from the API server's answer to the first refusal: {}; {ROUNDS} rounds", shown(&after));
        Ok(())
    })
}

fn install() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("crds.yaml");
    std::fs::write(&file, crds::yaml()?)?;
    let file = file.display().to_string();
    let quiet = |arguments: &[&str]| {
        Command::new("kubectl").args(arguments).stdout(std::process::Stdio::null()).status()
    };
    let applied = quiet(&["apply", "--server-side", "-f", &file])?.success();
    let established = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"];
    if applied && quiet(&established)?.success() { Ok(()) } else { Err("kubectl failed".into()) }
}

fn keyward(arguments: &[&str], at: std::net::SocketAddr) -> Result<Process, Failure> {
    Process::start(Command::new(env!("CARGO_BIN_EXE_keyward")).args(arguments), Some(at))
}

async fn issued(client: &Client, namespace: &str) -> Result<Token, Failure> {
    let account = ServiceAccount::new("ci", serde_json::from_value(json!({}))?);
    Api::namespaced(client.clone(), namespace).create(&PostParams::default(), &account).await?;
    let spec = json!({"serviceAccountName": "ci", "validFor": "P6M"});
    let key = AccessKey::new("deploy", serde_json::from_value(spec)?);
    Api::namespaced(client.clone(), namespace).create(&PostParams::default(), &key).await?;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let start = Instant::now();
    loop {
        let secret = secrets.get_opt("deploy").await?;
        let data = secret.and_then(|secret| secret.data?.remove("token"));
        if let Some(token) = data.and_then(|data| Token::find_in(std::str::from_utf8(&data.0).ok()?)) {
            return Ok(token);
        }
        if start.elapsed() > BOUND {
            return Err("no token was issued".into());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn switch(keys: &Api<AccessKey>, state: &str) -> Result<(), Failure> {
    let patch = Patch::Merge(json!({"spec": {"state": state}}));
    keys.patch("deploy", &PatchParams::default(), &patch).await?;
    Ok(())
}

/// Asks until the key is good, or is not; gives the moment of that answer.
async fn until(
    stream: &mut TcpStream,
    request: &str,
    good: bool,
    pause: Duration,
) -> Result<Instant, Failure> {
    let start = Instant::now();
    loop {
        stream.write_all(request.as_bytes()).await?;
        if status(stream).await? == good {
            return Ok(Instant::now());
        }
        if start.elapsed() > BOUND {
            return Err("the verifier did not notice".into());
        }
        tokio::time::sleep(pause).await;
    }
}

/// Whether the answer is 200; reads all of it.
async fn status(stream: &mut TcpStream) -> Result<bool, Failure> {
    let mut answer = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await?;
        answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= header.map_or(Ok(0), str::parse)? {
                return Ok(head.starts_with("HTTP/1.1 200"));
            }
        }
        if read == 0 {
            return Err("the connection ended".into());
        }
    }
}
