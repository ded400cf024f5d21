//! The servers under test that are our own code, each in a process of its own: the verifier with keys that
//! are made up, and the same port without the check.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Ready, ready};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use keyward::api::AccessKey;
use keyward::domain::verdict::{GrantFacts, KeyFacts, ServiceAccountFacts};
use keyward::runtime::audit::Source;
use keyward::runtime::clock::Clock;
use keyward::runtime::config::HEAD;
use keyward::runtime::random::Random;
use keyward::runtime::server::{Answers, Bounds, Caller, Counts, Server};
use keyward::runtime::spawner::Spawner;
use keyward::runtime::telemetry::{self, LogFormat};
use keyward::verifier::check::audit::AuditLines;
use keyward::verifier::check::checker::Checker;
use keyward::verifier::check::client::TrustedProxies;
use keyward::verifier::check::throttle::Throttle;
use keyward::verifier::freshness::{Followed, Freshness};
use keyward::verifier::http::{Body, Endpoints, reference};
use keyward::verifier::index::{Index, Version};
use keyward::verifier::metrics::Metrics;
use keyward::verifier::usage::flush::Flusher;
use keyward::verifier::usage::recorder::Recorder;
use kube::ResourceExt as _;
use kube::core::ObjectList;
use tokio_util::sync::CancellationToken;

use crate::support::Failure;
use crate::verify::keys;

/// As many keys as the verifier's own feed asks for at once.
const PAGE: usize = 500;
const BOUNDS: Bounds = Bounds { connections: 1024, memory: 64 * 1024 * 1024, head: HEAD };

/// Answers 200 to everything, without a look at it.
pub struct Bare {
    /// Those of the answer.
    headers: HeaderMap,
}

/// Every header of an answer that was checked, each as long as there. A header that the verifier gives and
/// this does not know ends the benchmark: without it the two would not be comparable.
fn identity() -> Result<HeaderMap, Failure> {
    let value = |name: &str| match name {
        "x-keyward-subject" | "x-keyward-actor" => Ok("keyward:bench-account-1:service-account-99"),
        "x-keyward-account" => Ok("bench-account-1"),
        "x-keyward-service-account" => Ok("service-account-99"),
        "x-keyward-key-id" => Ok("l75doUeBBMSL"),
        "x-keyward-expires-at" => Ok("2099-01-01T00:00:00Z"),
        // The load names no resource.
        "x-keyward-resource" | "x-keyward-role" | "x-keyward-on-behalf-of" => Ok(""),
        other => Err(Failure::from(format!("{other} has no value here"))),
    };
    let header = |(name, _)| Ok((HeaderName::from_static(name), HeaderValue::from_static(value(name)?)));
    reference::identity().map(header).collect()
}

impl Answers for Bare {
    type Body = Body;

    async fn answer(&self, _: Request<Incoming>, _: &Caller) -> Response<Body> {
        let mut answer = Response::new(Either::Left(Full::default()));
        answer.headers_mut().clone_from(&self.headers);
        answer
    }

    fn overloaded(&self) -> Response<Body> {
        Response::new(Either::Left(Full::default()))
    }
}

/// Serves without a check until the process is ended; with `headers`, those of an answer that was checked are
/// there.
pub async fn bare(address: SocketAddr, headers: bool) -> Result<(), Failure> {
    let headers = if headers { identity()? } else { HeaderMap::new() };
    let server =
        Server::bind(address, None, BOUNDS, Bare { headers }, Counts::default(), Spawner::default())?;
    server.run(&CancellationToken::new()).await;
    Ok(())
}

/// The verifier as `keyward verifier` puts it together, with its log and its record of use, but with made up
/// keys and an API server that knows nothing.
pub async fn verifier(address: SocketAddr, keys: usize) -> Result<(), Failure> {
    telemetry::start(LogFormat::Json, "info").map_err(|error| error.to_string())?;
    let (clock, spawner) = (Clock::System, Spawner::default());
    let (recorder, used) = Recorder::new();
    let metrics = Metrics::default();
    let checker = Arc::new(Checker {
        index: Arc::new(Index::default()),
        freshness: Arc::new(Freshness::new(Duration::from_mins(5), clock.clone())),
        trusted_proxies: TrustedProxies::default(),
        throttle: Throttle::new(clock.clone(), Random::System.seed()?),
        recorder: Arc::new(recorder),
        audit: AuditLines::new(clock.clone(), Random::System.seed()?, metrics.clone()),
        metrics: metrics.clone(),
        clock,
    });
    checker.index.set_trust(keys::published()?.trust());
    fill(&checker.index, keys)?;
    let endpoints = Endpoints::new(Arc::clone(&checker));
    let server = Server::bind(address, None, BOUNDS, endpoints, metrics.port, spawner.clone())?;
    let client = kube::Client::new(Nothing, "default");
    let writes = NonZeroU32::new(50).ok_or("no writes")?;
    let source = Source { controller: "iam.keyward.dev/verifier", instance: "bench".into() };
    let flusher = Flusher::new(
        client,
        Arc::clone(&checker),
        used,
        Duration::from_mins(1),
        writes,
        source,
        Random::System,
    );
    let stop = CancellationToken::new();
    // In tasks of their own, as the port's work is: what shares a task is polled together.
    spawner.spawn(hear(Arc::clone(&checker)));
    let flushing = stop.clone();
    spawner.spawn(async move { Box::pin(flusher.run(&flushing)).await });
    server.run(&stop).await;
    Ok(())
}

async fn hear(checker: Arc<Checker>) {
    loop {
        for kind in Followed::ALL.iter().copied() {
            checker.freshness.heard(kind);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// As the feed does: page after page, each parsed from the JSON of a list.
fn fill(index: &Index, count: usize) -> Result<(), Failure> {
    for n in 0..keys::service_accounts(count) {
        let (object, grant) = (keys::service_account(n)?, keys::grant(n)?);
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        index.service_account((&namespace, &name), ServiceAccountFacts::of(&object));
        index.grant((&namespace, &grant.name_any()), GrantFacts::of(&grant));
    }
    for first in (0..count).step_by(PAGE) {
        let items: Vec<_> =
            (first..count.min(first + PAGE)).map(keys::access_key).collect::<Result<_, _>>()?;
        let list = serde_json::json!({"metadata": {"resourceVersion": "1"}, "items": items}).to_string();
        drop(items);
        let page: ObjectList<AccessKey> = serde_json::from_str(&list)?;
        for key in page.items {
            let (namespace, name) = (key.namespace().unwrap_or_default(), key.name_any());
            let (uid, resource_version) =
                (key.uid().unwrap_or_default(), key.resource_version().unwrap_or_default());
            let version = Version { uid: &uid, resource_version: &resource_version };
            index.key((&namespace, &name), version, KeyFacts::of(&key));
        }
    }
    if index.len() == count { Ok(()) } else { Err("not every key is known".into()) }
}

/// An API server that knows no object.
#[derive(Clone)]
struct Nothing;

impl tower_service::Service<Request<kube::client::Body>> for Nothing {
    type Response = Response<Full<Bytes>>;
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<kube::client::Body>) -> Self::Future {
        const STATUS: &str = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"not found","reason":"NotFound","code":404}"#;
        let mut answer = Response::new(Full::from(STATUS));
        *answer.status_mut() = StatusCode::NOT_FOUND;
        ready(Ok(answer))
    }
}
