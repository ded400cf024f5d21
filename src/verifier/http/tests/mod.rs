//! What each endpoint answers a client that has failed too often while as many answers as may be are held
//! back.

use std::net::SocketAddr;
use std::sync::Arc;

use envoy_types::ext_authz::v3::pb::{Authorization as _, CheckRequest, HttpResponse};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::domain::verdict::Cause;
use crate::runtime::server::{Bounds, Server};
use crate::runtime::spawner::Spawner;
use crate::verifier::check::endpoint::Endpoint;
use crate::verifier::check::tests::lines::Lines;
use crate::verifier::check::tests::{PEER, checker, fail_too_often, guess};
use crate::verifier::http::{Endpoints, grpc};

const BOUNDS: Bounds = Bounds { connections: 16, memory: 1024 * 1024, head: 8192 };

/// The whole answer to a request.
async fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let token = guess();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
        token.reveal(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn an_endpoint_answers_a_throttled_request_as_such_and_it_is_counted_and_audited() {
    let checker = Arc::new(checker());
    fail_too_often(&checker).await;
    let _others = checker.throttle.full();
    let endpoints = Endpoints::new(Arc::clone(&checker));
    let loopback = SocketAddr::new(PEER, 0);
    let (counts, spawner) = (checker.metrics.port.clone(), Spawner::default());
    let server = Server::bind(loopback, None, BOUNDS, endpoints, counts, spawner).unwrap();
    let address = server.address().unwrap();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let serving = tokio::spawn(async move { server.run(&stopped).await });
    let lines = Lines::default();
    let _here = lines.collect();

    let question = json!({"token": guess().reveal()}).to_string();
    for (endpoint, method, path, body, status) in [
        (Endpoint::Auth, "GET", "/auth", "", 429),
        // nginx lets no other refusals through than 401 and 403.
        (Endpoint::Nginx, "GET", "/auth/nginx", "", 403),
        (Endpoint::Traefik, "GET", "/auth/traefik", "", 429),
        (Endpoint::Caddy, "GET", "/auth/caddy", "", 429),
        (Endpoint::Envoy, "GET", "/auth/envoy/-/x", "", 429),
        (Endpoint::Verify, "POST", "/v1/verify", question.as_str(), 429),
    ] {
        let answer = ask(address, method, path, body).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        assert!(answer.contains("\r\nretry-after: 1\r\n"), "{path}: {answer}");
        assert!(answer.contains("\"detail\":\"too many requests of this address failed\""), "{answer}");
        assert!(answer.contains("\"code\":\"too_many_failures\""), "{path}: {answer}");
        assert!(!answer.contains("www-authenticate"), "{path}: {answer}");
        assert_eq!(checker.counted(endpoint, Cause::TooManyFailures), 1, "{path}");
        let lines = lines.taken();
        let causes: Vec<_> = lines.iter().map(|line| (&*line["endpoint"], &*line["cause"])).collect();
        assert_eq!(causes, [(endpoint.as_str(), "TooManyFailures")], "{path}");
    }

    // The API server asks for others, and is never throttled.
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": guess().reveal()},
    });
    let answer = ask(address, "POST", "/tokenreview", &review.to_string()).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"authenticated\":false"), "{answer}");
    assert_eq!(checker.counted(Endpoint::TokenReview, Cause::TooManyFailures), 0);
    assert_eq!(checker.counted(Endpoint::TokenReview, Cause::UnknownKey), 1);
    assert_eq!(lines.taken()[0]["cause"], "UnknownKey");
    stop.cancel();
    serving.await.unwrap();
}

#[tokio::test]
async fn envoy_is_answered_a_throttled_request_as_such_over_grpc() {
    let checker = Arc::new(checker());
    fail_too_often(&checker).await;
    let _others = checker.throttle.full();
    let authorizer = grpc::Authorizer { checker: Arc::clone(&checker) };
    let lines = Lines::default();
    let _here = lines.collect();
    let token = guess();
    let mut request = CheckRequest::default();
    let attributes = request.attributes.get_or_insert_default();
    let http = attributes.request.get_or_insert_default().http.get_or_insert_default();
    http.headers.insert("authorization".into(), format!("Bearer {}", token.reveal()));
    let mut request = tonic::Request::new(request);
    request.extensions_mut().insert(grpc::Peer(PEER));
    let answer = authorizer.check(request).await.unwrap().into_inner();
    let Some(HttpResponse::DeniedResponse(denied)) = answer.http_response else { panic!("it is let in") };
    assert_eq!(denied.status.map(|status| status.code), Some(429));
    let headers: Vec<_> = denied.headers.into_iter().filter_map(|option| option.header).collect();
    assert!(headers.iter().any(|header| header.key == "retry-after" && header.value == "1"));
    assert!(denied.body.contains("too_many_failures"), "{}", denied.body);
    assert_eq!(checker.counted(Endpoint::Grpc, Cause::TooManyFailures), 1);
    let lines = lines.taken();
    let causes: Vec<_> = lines.iter().map(|line| (&*line["endpoint"], &*line["cause"])).collect();
    assert_eq!(causes, [("grpc", "TooManyFailures")]);
}
