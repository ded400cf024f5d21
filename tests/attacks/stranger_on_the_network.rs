//! Someone without a key who reaches the ports of verifier and controller.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use keyward::domain::value::token::Token;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::attack::{Attack, Going, Length};
use crate::cgroup::Cgroup;
use crate::figures::MEMORY;
use crate::support::{Scene, eventually};
use crate::target::{Target, allow_files, peak_of};

/// How many connections of HTTP/2 there are, and how many requests are begun on each.
const HTTP2: (usize, usize) = (10, 256);
/// As long as a body may be, and a message of gRPC, less their ends, which never come.
const BODY: usize = 64 * 1024 - 1;
const MESSAGE: usize = 1024 * 1024 - 1;

/// Begins as many requests with large bodies as it may, on one connection after the other, and ends none.
async fn bodies(address: &str, path: &str, length: usize, going: &Going) {
    let content = Bytes::from(vec![b'x'; length]);
    while going.on() {
        let Ok(stream) = tokio::net::TcpStream::connect(address).await else { continue };
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let Ok((mut sender, connection)) = handshake.await else { continue };
        let connection = tokio::spawn(connection);
        let mut open = tokio::task::JoinSet::new();
        let mut bodies = Vec::new();
        for _ in 0..HTTP2.1 {
            let (body, chunks) = mpsc::channel::<Result<hyper::body::Frame<Bytes>, std::io::Error>>(8);
            if body.send(Ok(hyper::body::Frame::data(content.clone()))).await.is_err() {
                break;
            }
            let request = Request::post(format!("http://{address}{path}"))
                .header("content-type", "application/grpc")
                .header("te", "trailers")
                .body(http_body_util::StreamBody::new(ReceiverStream::new(chunks)))
                .unwrap();
            if sender.ready().await.is_err() {
                break;
            }
            let answer = sender.send_request(request);
            open.spawn(async move { drop(answer.await) });
            bodies.push(body);
            going.did(1);
        }
        // Until the server has given all of them up, or the connection.
        while going.on() && !open.is_empty() && !connection.is_finished() {
            drop(tokio::time::timeout(Duration::from_millis(200), open.join_next()).await);
        }
        drop(bodies);
        connection.abort();
    }
}

fn http2(address: &str, path: &str, length: usize, going: &Going) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let all = (0..HTTP2.0).map(|_| bodies(address, path, length, going));
        futures::future::join_all(all).await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_over_http2_take_no_memory_from_others() {
    let mut target = Target::start("bodies").await;
    let address = target.address.clone();
    let attack = Attack::start(1, move |_, going| http2(&address, "/v1/verify", BODY, going));
    target.withstands("10 connections of HTTP/2 with 256 bodies of 64 KiB each", attack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_over_grpc_take_no_memory_from_others() {
    let mut target = Target::start("grpc-bodies").await;
    let address = target.address.clone();
    let path = "/envoy.service.auth.v3.Authorization/Check";
    let attack = Attack::start(1, move |_, going| http2(&address, path, MESSAGE, going));
    target.withstands("10 connections of gRPC with 256 messages of 1 MiB each", attack).await;
}

/// Keeps so many connections open, each with the beginning of a head of that length; opens another where one
/// is closed.
fn heads(address: &str, connections: usize, length: usize, going: &Going) {
    let head = format!("GET /auth HTTP/1.1\r\nhost: x\r\nx-long: {}", "x".repeat(length));
    let open = || {
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_nonblocking(true).ok()?;
        // What does not fit into the connection's buffers at once is not sent.
        let _ = stream.write(head.as_bytes()).ok()?;
        going.did(1);
        Some(stream)
    };
    let mut streams: Vec<Option<TcpStream>> = Vec::new();
    while going.on() {
        if streams.len() < connections {
            streams.push(open());
            continue;
        }
        for stream in &mut streams {
            let closed = stream.as_mut().is_none_or(|stream| {
                !matches!(stream.read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
            });
            if closed && going.on() {
                *stream = open();
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_connections_with_half_a_head_keep_nobody_out() {
    let mut target = Target::start("heads").await;
    let address = target.address.clone();
    let attack = Attack::start(1, move |_, going| heads(&address, 3200, 30_000, going));
    target.withstands("3,200 connections of HTTP/1.1 with 30 KB of a head each", attack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_heads_on_the_port_for_metrics_keep_nobody_out() {
    let mut target = Target::start("metrics-heads").await;
    let address = target.health.clone();
    let attack = Attack::start(1, move |_, going| heads(&address, 900, 400_000, going));
    target.withstands("900 connections to the port for metrics with half a head each", attack).await;
    assert!(target.verifier.metrics().contains("keyward_verifier_tokens"));
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_heads_keep_no_controller_from_its_work() {
    allow_files();
    let (scene, controller) = Scene::with_controller("controller-heads").await;
    // The controller goes first.
    let (_limit, mut controller) = (Cgroup::hold(controller.pid(), MEMORY), controller);
    scene.limits(serde_json::json!({"serviceAccounts": 1000})).await;
    let line = controller.lines().into_iter().find(|line| line["address"].is_string()).unwrap();
    let address = line["address"].as_str().unwrap().to_owned();
    let attack = Attack::start(1, move |_, going| heads(&address, 900, 400_000, going));
    let end = Instant::now() + Length::of_this_run().time;
    let mut number = 0;
    while number < 3 || Instant::now() < end {
        scene.issued(&format!("ci-{number}")).await;
        eventually("/livez is answered", async || {
            controller.get("livez").filter(|answer| answer == "ok\n").ok_or_else(|| controller.log())
        })
        .await;
        number += 1;
    }
    let (done, peak) = (attack.stop().await, peak_of(controller.pid()));
    println!(
        "900 connections with half a head each to a controller: {done} steps, {number} keys, at most {} MiB",
        peak / 1024
    );
    assert!(done > 900, "it was no attack");
    assert!(controller.is_running() && peak < MEMORY, "{peak} KiB");
}

/// Where the guesses come from: who asks from elsewhere is not slowed down with them.
const ELSEWHERE: &str = "127.0.0.2:0";

/// Guesses without end, by one connection.
async fn guess(address: SocketAddr, request: &str, going: &Going) {
    let mut buffer = vec![0; 4096];
    while going.on() {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(ELSEWHERE.parse().unwrap()).unwrap();
        let Ok(mut stream) = socket.connect(address).await else { continue };
        // An answer may be held back for a second.
        while going.on() && stream.write_all(request.as_bytes()).await.is_ok() {
            let answer = tokio::time::timeout(Duration::from_secs(2), stream.read(&mut buffer)).await;
            if !matches!(answer, Ok(Ok(1..))) {
                break;
            }
            going.did(1);
        }
    }
}

fn guesses(address: &str, connections: usize, going: &Going) {
    let guess_of = Token::from_random(&[7; 64]).unwrap();
    let request =
        format!("GET /auth HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", guess_of.reveal());
    let address = address.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(futures::future::join_all((0..connections).map(|_| guess(address, &request, going))));
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_hide_no_refusal_of_a_key_that_is_known() {
    let mut target = Target::start("guesses").await;
    let off = target.scene.issued("off").await;
    target.scene.set::<keyward::api::AccessKey>("off-key", serde_json::json!({"state": "Inactive"})).await;
    target.verifier.answers(&off, 401).await;
    let address = target.address.clone();
    let attack = Attack::start(1, move |_, going| guesses(&address, 600, going));
    let going = attack.going.clone();
    eventually("the guesses have no lines of their own any more", async || {
        let metrics = target.verifier.metrics();
        let none = "keyward_verifier_untold_refusals_total{presented=\"other\"} 0\n";
        if metrics.contains(none) { Err(going.done()) } else { Ok(()) }
    })
    .await;
    let headers = [("x-request-id", "the-leaked-one")];
    assert_eq!(target.verifier.auth("", &off, &headers).await.status, 401);
    let line = target.verifier.audit_line("of the key", |line| line["request_id"] == "the-leaked-one").await;
    assert_eq!(line["cause"], "KeyInactive");
    assert_eq!(line["object"], "AccessKey/off-key");
    let is_sum = |line: &serde_json::Value| line["message"] == "Further refusals, too many to tell each";
    target.withstands("guesses by 600 connections", attack).await;
    let line = target.verifier.audit_line("with the number", is_sum).await;
    assert!(line["count"].as_u64() > Some(0), "{line}");
}
