//! `/livez`, `/readyz` and `/metrics` on a port of their own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;

use crate::runtime::server::{Answers, Bounds, Caller, Counts, Server};
use crate::runtime::spawner::Spawner;

/// The kubelet and a few who collect metrics come here. So many connections only, so that a crowd of
/// strangers does not close theirs before they are answered.
const BOUNDS: Bounds = Bounds { connections: 512, memory: 12 * 1024 * 1024, head: 8 * 1024 };
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// What the health endpoints tell.
#[derive(Clone)]
pub struct Health {
    ready: Arc<AtomicBool>,
    metrics: Arc<dyn Fn() -> Result<String, std::fmt::Error> + Send + Sync>,
}

impl Health {
    /// Not ready yet. `metrics` gives all of them in the `OpenMetrics` text format.
    pub fn new(metrics: impl Fn() -> Result<String, std::fmt::Error> + Send + Sync + 'static) -> Self {
        Self { ready: Arc::default(), metrics: Arc::new(metrics) }
    }

    /// Says whether the process can do its work.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// Answers on `address` for as long as it is polled, also while the process finishes its work at
    /// shutdown.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn serve(self, address: SocketAddr, spawner: Spawner) -> std::io::Result<()> {
        let server = Server::bind(address, None, BOUNDS, self, Counts::default(), spawner)?;
        tracing::info!(address = %server.address()?, "answering /livez, /readyz and /metrics");
        server.run(&CancellationToken::new()).await;
        Ok(())
    }

    fn readyz(&self) -> Response<Full<Bytes>> {
        if self.ready.load(Ordering::Acquire) {
            return text(StatusCode::OK, "ok\n");
        }
        let detail = "not ready: what the cluster holds is not known, or not known well enough any more\n";
        text(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    fn metrics(&self, caller: &Caller) -> Response<Full<Bytes>> {
        match (self.metrics)() {
            Ok(text) if !caller.hold(text.len()) => self.overloaded(),
            Ok(text) => answer(StatusCode::OK, OPEN_METRICS, text.into()),
            Err(error) => {
                tracing::error!(%error, "the metrics cannot be written as text");
                text(StatusCode::INTERNAL_SERVER_ERROR, "")
            }
        }
    }
}

impl Answers for Health {
    type Body = Full<Bytes>;

    async fn answer(&self, request: Request<Incoming>, caller: &Caller) -> Response<Full<Bytes>> {
        match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/livez") => text(StatusCode::OK, "ok\n"),
            (&Method::GET | &Method::HEAD, "/readyz") => self.readyz(),
            (&Method::GET | &Method::HEAD, "/metrics") => self.metrics(caller),
            (_, "/livez" | "/readyz" | "/metrics") => text(StatusCode::METHOD_NOT_ALLOWED, ""),
            _ => text(StatusCode::NOT_FOUND, ""),
        }
    }

    fn overloaded(&self) -> Response<Full<Bytes>> {
        text(StatusCode::SERVICE_UNAVAILABLE, "too much is held for other requests\n")
    }
}

fn text(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    answer(status, TEXT, Bytes::from_static(text.as_bytes()))
}

fn answer(status: StatusCode, kind: HeaderValue, body: Bytes) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}
