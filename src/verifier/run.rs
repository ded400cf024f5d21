//! Wires the verifier together and runs it. Clock, random source and spawner are made here and
//! handed in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::domain::verdict::FeedState;
use crate::runtime::audit::Source;
use crate::runtime::clock::Clock;
use crate::runtime::config::VerifierArgs;
use crate::runtime::health::Health;
use crate::runtime::preflight;
use crate::runtime::random::Random;
use crate::runtime::server::Server;
use crate::runtime::spawner::Spawner;
use crate::verifier::check::audit::AuditLines;
use crate::verifier::check::checker::Checker;
use crate::verifier::check::client::TrustedProxies;
use crate::verifier::check::throttle::Throttle;
use crate::verifier::feed;
use crate::verifier::freshness::Freshness;
use crate::verifier::http::Endpoints;
use crate::verifier::index::Index;
use crate::verifier::metrics::Metrics;
use crate::verifier::tls;
use crate::verifier::tls::Tls;
use crate::verifier::trust;
use crate::verifier::usage::flush::Flusher;
use crate::verifier::usage::recorder::Recorder;

/// How often readiness is looked at.
const READINESS_LOOK: Duration = Duration::from_millis(50);
/// How often a line says how many had none.
const SUM_UP: Duration = Duration::from_secs(10);
/// How often what is no longer of use is let go.
const TIDY: Duration = Duration::from_mins(1);

/// Why the verifier stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot work on this cluster.
    #[error(transparent)]
    Preflight(#[from] preflight::Error),
    /// The health endpoints cannot be offered.
    #[error("the health endpoints on {0}")]
    Health(SocketAddr, #[source] std::io::Error),
    /// The port cannot be had.
    #[error("the port {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes")]
    Random(#[from] rand::rngs::SysError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// Tokens would cross the network in plain text.
    #[error(
        "--listen-address {0} is not on loopback and there is no certificate; give --tls-cert-file and --tls-key-file, \
         or say --allow-plain-http true where the network is trusted"
    )]
    PlainHttp(SocketAddr),
}

/// Runs until `shutdown`, and then until open requests are answered and their use is written.
///
/// # Errors
/// When the cluster lacks CRDs or permissions, a port is taken, or the certificate cannot be used.
pub async fn run(client: Client, args: VerifierArgs, shutdown: CancellationToken) -> Result<(), Error> {
    let tls = certificate(&args)?;
    let bounds = args.bounds();
    let sealing_namespace =
        args.sealing_namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned());
    let needs = async {
        preflight::check(&client, preflight::VERIFIER, args.namespace.as_deref()).await?;
        preflight::check(&client, preflight::VERIFIER_SEALING, Some(&sealing_namespace)).await
    };
    let Some(met) = shutdown.run_until_cancelled(needs).await else { return Ok(()) };
    met?;
    let (clock, random, spawner) = (Clock::System, Random::System, Spawner::default());
    let metrics = Metrics::default();
    let (recorder, used) = Recorder::new();
    let bound = Duration::from_secs(args.max_staleness_seconds);
    let checker = Arc::new(Checker {
        index: Arc::new(Index::default()),
        freshness: Arc::new(Freshness::new(bound, clock.clone())),
        trusted_proxies: TrustedProxies::new(args.trusted_proxies),
        throttle: Throttle::new(clock.clone(), random.seed()?),
        recorder: Arc::new(recorder),
        audit: AuditLines::new(clock.clone(), random.seed()?, metrics.clone()),
        metrics: metrics.clone(),
        clock,
    });
    let health = health(&checker);
    let endpoints = Endpoints::new(Arc::clone(&checker));
    let address = args.listen_address;
    let acceptor = tls.as_deref().map(Tls::acceptor);
    let server = Server::bind(address, acceptor, bounds, endpoints, metrics.port.clone(), spawner.clone())
        .map_err(|error| Error::Listen(address, error))?;
    let listening = server.address().map_err(|error| Error::Listen(address, error))?;
    tracing::info!(listening = %listening, tls = tls.is_some(), "answering gateways, applications and the API server");

    let source = Source { controller: "iam.keyward.dev/verifier", instance: args.process.instance };
    let interval = Duration::from_secs(args.usage_interval_seconds);
    let flusher = Flusher::new(
        client.clone(),
        Arc::clone(&checker),
        used,
        interval,
        args.usage_writes_per_second,
        source,
        random,
    );
    let written = CancellationToken::new();
    let (serving, flushing) = (shutdown.clone(), written.clone());
    let work = async {
        spawner.apart(async move { server.run(&serving).await }).await;
        // Only then is all use known.
        written.cancel();
    };
    let flush = spawner.apart(async move { Box::pin(flusher.run(&flushing)).await });
    let health_address = args.process.health_address;
    let summed_up = Arc::clone(&checker);
    // In tasks of their own, so that none waits for another.
    let ended = tokio::select! {
        _ = async { futures::join!(work, flush) } => Ok(()),
        () = spawner.apart(follow(client, args.namespace, sealing_namespace, Arc::clone(&checker), spawner.clone())) => Ok(()),
        () = spawner.apart(watch_readiness(health.clone(), Arc::clone(&checker), tls.clone(), shutdown)) => Ok(()),
        () = spawner.apart(follow_certificate(tls, metrics)) => Ok(()),
        () = spawner.apart(tidy(Arc::clone(&checker))) => Ok(()),
        () = spawner.apart(sum_up(checker)) => Ok(()),
        ended = spawner.apart(health.serve(health_address, spawner.clone())) => ended.map_err(|error| Error::Health(health_address, error)),
    };
    summed_up.audit.sum_up();
    ended
}

/// Keeps the index in step with the cluster. Objects are listed once it is known which seals are good, and
/// again when that changes.
async fn follow(
    client: Client,
    namespace: Option<String>,
    sealing_namespace: String,
    checker: Arc<Checker>,
    spawner: Spawner,
) {
    let changed = Notify::new();
    let feed = async {
        changed.notified().await;
        loop {
            tokio::select! {
                () = feed::follow(client.clone(), namespace.clone(), Arc::clone(&checker), &spawner) => {}
                () = changed.notified() => {}
            }
        }
    };
    tokio::select! {
        () = feed => {}
        () = trust::follow(&client, &sealing_namespace, &checker.index, || changed.notify_one()) => {}
    }
}

fn certificate(args: &VerifierArgs) -> Result<Option<Arc<Tls>>, Error> {
    match (&args.tls_cert_file, &args.tls_key_file) {
        (Some(certificate), Some(key)) => Ok(Some(Arc::new(Tls::read(certificate, key)?))),
        _ if args.listen_address.ip().is_loopback() || args.allow_plain_http => Ok(None),
        _ => Err(Error::PlainHttp(args.listen_address)),
    }
}

fn health(checker: &Arc<Checker>) -> Health {
    let checker = Arc::clone(checker);
    Health::new(move || checker.metrics.text(&checker.index, &checker.freshness))
}

/// Ready means: it can tell good keys from bad ones, has the certificate that it was promised, and is not
/// about to end.
async fn watch_readiness(
    health: Health,
    checker: Arc<Checker>,
    tls: Option<Arc<Tls>>,
    shutdown: CancellationToken,
) {
    let mut before = None;
    loop {
        let feed = checker.freshness.state();
        let certified = tls.as_ref().is_none_or(|tls| tls.is_there());
        health.set_ready(feed == FeedState::Fresh && certified && !shutdown.is_cancelled());
        if before != Some(feed) {
            tracing::info!(?feed, "what is known of the cluster");
            before = Some(feed);
        }
        tokio::time::sleep(READINESS_LOOK).await;
    }
}

async fn follow_certificate(tls: Option<Arc<Tls>>, metrics: Metrics) {
    match tls {
        Some(tls) => tls.follow(&metrics).await,
        None => std::future::pending().await,
    }
}

async fn tidy(checker: Arc<Checker>) {
    loop {
        tokio::time::sleep(TIDY).await;
        checker.index.tidy();
        checker.throttle.tidy();
        checker.audit.tidy();
    }
}

async fn sum_up(checker: Arc<Checker>) {
    loop {
        tokio::time::sleep(SUM_UP).await;
        checker.audit.sum_up();
    }
}
