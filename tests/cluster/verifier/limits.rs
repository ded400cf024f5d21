//! What clients may cost: bodies, heads, connections, failures; what crosses a network; and the end of a
//! process.

use std::path::Path;

use http::Method;
use keyward::domain::value::token::Token;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Scene, Verifier, dev_dir, eventually, run, text};

#[tokio::test]
async fn requests_are_bounded() {
    let scene = Scene::new("bounded").await;
    let verifier = Verifier::start(&scene, &[]).await;
    let long = verifier.post("/v1/verify", &json!({"token": "x".repeat(70_000)})).await;
    assert_eq!(long.status, 413);
    assert_eq!(long.json()["detail"], "the body may have at most 65536 bytes");
    let names: Vec<String> = (0..100).map(|number| format!("x-{number}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    assert_eq!(verifier.ask(Method::GET, "/auth", &many, "").await.status, 431);
    let head = "x".repeat(40_000);
    assert_eq!(verifier.ask(Method::GET, "/auth", &[("x-long", &head)], "").await.status, 431);
}

#[tokio::test]
async fn for_a_connection_beyond_the_bound_the_oldest_stranger_is_closed_and_a_good_key_stays() {
    let (scene, _controller) = Scene::with_controller("connections").await;
    let token = scene.issued("ci").await;
    let verifier = Verifier::start(&scene, &["--max-connections", "2"]).await;
    let address = verifier.address().await;
    let ask = format!("GET /auth HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", token.reveal());
    verifier.answers(&token, 200).await;
    let mut good = TcpStream::connect(&address).await.unwrap();
    assert_eq!(first_line(&mut good, &ask).await.unwrap(), "HTTP/1.1 200 OK");
    let mut oldest = TcpStream::connect(&address).await.unwrap();
    let mut newest = TcpStream::connect(&address).await.unwrap();
    // Closed, or reset where it was written to.
    assert_ne!(oldest.read(&mut [0]).await.unwrap_or_default(), 1);
    assert_eq!(first_line(&mut newest, &ask).await.unwrap(), "HTTP/1.1 200 OK");
    assert_eq!(first_line(&mut good, &ask).await.unwrap(), "HTTP/1.1 200 OK");
    let metrics = verifier.metrics();
    assert!(metrics.contains("keyward_verifier_connections 2\n"), "{metrics}");
}

/// Asks, and gives the first line of the answer.
async fn first_line(stream: &mut TcpStream, request: &str) -> std::io::Result<String> {
    stream.write_all(request.as_bytes()).await?;
    let mut answer = [0; 4096];
    let read = stream.read(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer[..read]);
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn who_fails_too_often_is_slowed_down_and_locks_nobody() {
    let (scene, _controller) = Scene::with_controller("guesses").await;
    let token = scene.issued("ci").await;
    let verifier = Verifier::start(&scene, &[]).await;
    let guess = Token::from_random(&[7; 64]).unwrap();
    let held_back = || {
        let metrics = verifier.metrics();
        let line = metrics.lines().find(|line| line.starts_with("keyward_verifier_held_back_total"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u32>().ok()).unwrap_or_default()
    };
    assert_eq!(held_back(), 0);
    let guesses = async {
        for _ in 0..30 {
            assert_eq!(verifier.auth("", &guess, &[]).await.status, 401);
        }
    };
    let work = async {
        for _ in 0..50 {
            assert_eq!(verifier.auth("", &token, &[]).await.status, 200);
        }
    };
    futures::join!(guesses, work);
    assert!(held_back() > 0);
    verifier.answers(&token, 200).await;
}

#[tokio::test]
async fn tokens_cross_no_network_in_plain_text_unless_that_is_asked_for() {
    let scene = Scene::new("plain").await;
    let everywhere = ["--listen-address", "0.0.0.0:0"];
    let mut verifier = Verifier::launch(&scene, &everywhere, None, None).await;
    assert!(!verifier.exit().await.success());
    let log = verifier.log();
    assert!(log.contains("is not on loopback and there is no certificate"), "{log}");
    Verifier::start(&scene, &[&everywhere[..], &["--allow-plain-http", "true"]].concat()).await;
}

/// A new certificate for loopback, in place of the one in `folder`. Gives its text.
fn certify(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    // The key first, as a Secret's files are both new at once.
    std::fs::write(folder.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("tls.crt"), made.cert.pem()).unwrap();
    made.cert.pem()
}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart() {
    let scene = Scene::new("tls").await;
    let folder = dev_dir().join(format!("{}-tls", scene.namespace));
    std::fs::create_dir_all(&folder).unwrap();
    let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
    let ca = folder.join("ca.crt");
    std::fs::write(&ca, certify(&folder)).unwrap();
    let arguments =
        ["--tls-cert-file", certificate.to_str().unwrap(), "--tls-key-file", key.to_str().unwrap()];
    let verifier = Verifier::start(&scene, &arguments).await;
    let url = format!("https://{}/auth", verifier.address().await);
    let ask = || {
        let ca = ca.to_str().unwrap();
        let arguments =
            ["-sS", "-o", "/dev/null", "-w", "%{http_code} %{http_version}", "--cacert", ca, &url];
        run("curl", &arguments, "")
    };
    assert_eq!(text(&ask()), "401 2");
    std::fs::write(&certificate, "nonsense").unwrap();
    eventually("what cannot be used is logged", async || {
        let log = verifier.log();
        if log.contains("the renewed certificate cannot be used") { Ok(()) } else { Err(log) }
    })
    .await;
    assert_eq!(text(&ask()), "401 2", "the one before is still used");
    std::fs::write(&ca, certify(&folder)).unwrap();
    eventually("the new certificate is used", async || {
        let output = ask();
        if output.status.success() { Ok(()) } else { Err(output.stderr) }
    })
    .await;
    assert_eq!(text(&ask()), "401 2");
}

#[tokio::test]
async fn a_request_that_is_under_way_is_answered_before_the_end() {
    let scene = Scene::new("drain").await;
    let mut verifier = Verifier::start(&scene, &[]).await;
    let address = verifier.address().await;
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let body = json!({"token": "x"}).to_string();
    let head = format!("POST /v1/verify HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    let (first, rest) = body.split_at(3);
    stream.write_all(format!("{head}{first}").as_bytes()).await.unwrap();
    eventually("the request is under way", async || {
        let metrics = verifier.metrics();
        if metrics.contains("keyward_verifier_connections 1\n") { Ok(()) } else { Err(metrics) }
    })
    .await;
    text(&run("kill", &["-TERM", &verifier.pid().to_string()], ""));
    eventually("no further connection is taken", async || {
        TcpStream::connect(&address).await.err().map(drop).ok_or("it still is")
    })
    .await;
    stream.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("invalid_token"), "{answer}");
    assert!(verifier.exit().await.success());
}
