//! The verifier's server in a process of its own: with the check, with the same answer unchecked, and with a bare 200.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use keyward::verifier::check::Checker;
use keyward::verifier::contact::{Contact, Followed};
use keyward::verifier::http::{Body, Endpoints};
use keyward::verifier::index::Index;
use keyward::verifier::journal::Journal;
use keyward::verifier::metrics::Metrics;
use keyward::verifier::recorder::Recorder;
use keyward::verifier::server::{Answers, Server};
use keyward::verifier::throttle::Throttle;
use tokio_util::sync::CancellationToken;

use crate::others::Process;
use crate::{Failure, keys, this_program};

/// The argument by which this program is a server.
pub const SUBCOMMAND: &str = "--serve";
/// How often use is taken off the keys, as a flush does, so that it is recorded anew.
const FLUSH: Duration = Duration::from_mins(1);
const CONNECTIONS: usize = 4096;

/// Starts one with that many keys.
pub fn start(what: &str, keys: usize) -> Result<Process, Failure> {
    this_program(&[SUBCOMMAND, what, &keys.to_string()])
}

/// Serves until it is killed. Audit lines go to standard output, as always; the address to standard error.
pub fn serve(what: &str, keys: usize) -> Result<(), Failure> {
    keyward::runtime::telemetry::start(keyward::runtime::telemetry::LogFormat::Json, "info")
        .map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match what {
            "verifier" => run(verifier(keys)?).await,
            "unchecked" => run(Unchecked(identity()?)).await,
            _ => run(Unchecked(Vec::new())).await,
        }
    })
}

async fn run<A: Answers>(answers: A) -> Result<(), Failure> {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::bind(address, None, CONNECTIONS, answers, Metrics::default()).await?;
    eprintln!("listening on {}", server.address()?);
    server.run(&CancellationToken::new()).await;
    Ok(())
}

fn verifier(keys: usize) -> Result<Endpoints, Failure> {
    let metrics = Metrics::default();
    let (recorder, mut used) = Recorder::new();
    let checker = Arc::new(Checker {
        index: Arc::new(Index::default()),
        contact: Arc::new(Contact::new(Duration::from_hours(24))),
        recorder: Arc::new(recorder),
        journal: Journal::default(),
        metrics: metrics.clone(),
    });
    keys::fill(&checker.index, keys)?;
    for kind in Followed::ALL {
        checker.contact.heard(kind);
    }
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(FLUSH).await;
            while let Ok(key) = used.try_recv() {
                key.usage.take();
            }
        }
    });
    Ok(Endpoints::new(checker, Arc::new(Throttle::new(Vec::new(), metrics))))
}

/// Lets everybody in, with these headers.
struct Unchecked(Vec<(HeaderName, HeaderValue)>);

impl Answers for Unchecked {
    fn answer(&self, _: Request<Incoming>, _: IpAddr) -> impl Future<Output = Response<Body>> + Send {
        let mut answer = Response::new(Either::Left(Full::default()));
        answer.headers_mut().reserve(self.0.len());
        for (name, value) in &self.0 {
            answer.headers_mut().insert(name.clone(), value.clone());
        }
        std::future::ready(answer)
    }
}

/// What the verifier says of a key, of the same length.
fn identity() -> Result<Vec<(HeaderName, HeaderValue)>, Failure> {
    let actor = "keyward:account-0:robot-0";
    let headers = [
        ("x-keyward-subject", actor),
        ("x-keyward-actor", actor),
        ("x-keyward-account", "account-0"),
        ("x-keyward-service-account", "robot-0"),
        ("x-keyward-key-id", "0123456789ab"),
        ("x-keyward-resource", ""),
        ("x-keyward-role", ""),
        ("x-keyward-on-behalf-of", ""),
        ("x-keyward-expires-at", "2126-01-01T00:00:00Z"),
    ];
    let header = |(name, value): (&'static str, &'static str)| {
        Ok((HeaderName::from_static(name), HeaderValue::from_static(value)))
    };
    headers.into_iter().map(header).collect()
}
