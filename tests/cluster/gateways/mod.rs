//! Real gateways in front of an application, each with its documented configuration out of
//! `examples/gateways/`: whom they let in, whom they refuse, and what the application learns.

mod application;
mod cases;
mod cgi;
mod gateway;
mod keys;
mod lookalikes;
mod variants;

use cases::{Differences, everything_holds};
use gateway::Kind;

#[tokio::test]
async fn nginx() {
    everything_holds(Kind::Nginx, Differences { own_body: true, unreachable: 500 }).await;
}

#[tokio::test]
async fn envoy_over_http() {
    everything_holds(Kind::EnvoyHttp, Differences { own_body: false, unreachable: 403 }).await;
}

#[tokio::test]
async fn envoy_over_grpc() {
    everything_holds(Kind::EnvoyGrpc, Differences { own_body: false, unreachable: 403 }).await;
}

#[tokio::test]
async fn traefik() {
    everything_holds(Kind::Traefik, Differences { own_body: false, unreachable: 500 }).await;
}

#[tokio::test]
async fn caddy() {
    everything_holds(Kind::Caddy, Differences { own_body: false, unreachable: 502 }).await;
}
