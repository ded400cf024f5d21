//! A way to the API server that can fail at one exact call: it forwards every request, and at a chosen write
//! does something to the controller instead, before or after the write reached the API server.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{HOST, TRANSFER_ENCODING};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use kube::config::AuthInfo;
use kube::{Client, Config};
use tokio::sync::watch;

/// What happens at a write.
pub struct Fault {
    /// Which write, counted from 1 among those that `counts` accepts.
    pub at: u32,
    /// Whether the write reaches the API server first.
    pub after: bool,
    /// Which requests count: method and path.
    pub counts: fn(&Method, &str) -> bool,
    /// What happens.
    pub strike: Box<dyn Fn() + Send + Sync>,
}

#[derive(Clone)]
pub struct Proxy {
    /// Where it listens.
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    fault: Mutex<Option<Fault>>,
    counted: AtomicU32,
    /// Which paths are not answered, as in a network that is cut.
    cut: watch::Sender<fn(&str) -> bool>,
}

impl Proxy {
    /// Forwards with the rights that each request brings.
    pub async fn start() -> Self {
        let mut config = Config::infer().await.unwrap();
        config.auth_info = AuthInfo::default();
        let client = Client::try_from(config).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            client,
            fault: Mutex::default(),
            counted: AtomicU32::new(0),
            cut: watch::Sender::new(|_| false),
        });
        let router = Router::new().fallback(forward).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared }
    }

    pub fn set(&self, fault: Fault) {
        self.shared.counted.store(0, Ordering::SeqCst);
        *self.shared.fault.lock().unwrap() = Some(fault);
    }

    /// From now on no request is answered.
    pub fn cut(&self) {
        self.cut_off(|_| true);
    }

    /// From now on no request for such a path is answered, until it is set otherwise.
    pub fn cut_off(&self, path: fn(&str) -> bool) {
        self.shared.cut.send_replace(path);
    }
}

async fn forward(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path();
    shared.cut.subscribe().wait_for(|cut_off| !cut_off(path)).await.unwrap();
    let (mut parts, body) = request.into_parts();
    let due = {
        let fault = shared.fault.lock().unwrap();
        fault.as_ref().filter(|fault| (fault.counts)(&parts.method, parts.uri.path())).and_then(|fault| {
            let number = shared.counted.fetch_add(1, Ordering::SeqCst) + 1;
            (number == fault.at).then_some(fault.after)
        })
    };
    let strike = || {
        if let Some(fault) = shared.fault.lock().unwrap().take() {
            (fault.strike)();
        }
    };
    if due == Some(false) {
        strike();
        return StatusCode::BAD_GATEWAY.into_response();
    }
    // The client in between has its own credentials and its own connection.
    parts.headers.remove(HOST);
    parts.uri = parts.uri.path_and_query().map(|path| Uri::from(path.clone())).unwrap();
    let body = axum::body::to_bytes(body, 4 << 20).await.unwrap();
    let request = axum::http::Request::from_parts(parts, kube::client::Body::from(body.to_vec()));
    match shared.client.send(request).await {
        Ok(_) if due == Some(true) => {
            strike();
            StatusCode::BAD_GATEWAY.into_response()
        }
        Ok(answer) => {
            let (mut parts, body) = answer.into_parts();
            parts.headers.remove(TRANSFER_ENCODING);
            Response::from_parts(parts, Body::new(body))
        }
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
