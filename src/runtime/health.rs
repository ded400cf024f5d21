//! `/livez`, `/readyz` and `/metrics` on a port of their own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

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

    /// The endpoints.
    pub fn router(self) -> Router {
        Router::new()
            .route("/livez", get(|| async { "ok\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(self)
    }

    /// Answers on `address` for as long as it is polled, also while the process finishes its work at
    /// shutdown.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn serve(self, address: SocketAddr) -> std::io::Result<()> {
        let listener = TcpListener::bind(address).await?;
        tracing::info!(address = %listener.local_addr()?, "answering /livez, /readyz and /metrics");
        axum::serve(listener, self.router()).await
    }
}

async fn readyz(State(health): State<Health>) -> impl IntoResponse {
    if health.ready.load(Ordering::Acquire) {
        (StatusCode::OK, "ok\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready: what the cluster holds is not known, or not known well enough any more\n",
        )
    }
}

async fn metrics(State(health): State<Health>) -> impl IntoResponse {
    match (health.metrics)() {
        Ok(text) => {
            let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            (StatusCode::OK, [(CONTENT_TYPE, format)], text)
        }
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written as text");
            (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, "text/plain")], String::new())
        }
    }
}
