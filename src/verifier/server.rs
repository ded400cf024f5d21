//! The port: connections within bounds, with TLS or on loopback, and time to finish at shutdown.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use crate::runtime::spawner::Spawner;
use crate::verifier::http::{Body, Endpoints};
use crate::verifier::metrics::Metrics;
use crate::verifier::tls::Tls;

/// The most headers of a request.
const HEADERS: usize = 64;
/// The longest head of a request, in bytes.
const HEAD: usize = 32 * 1024;
/// The most requests at once on a connection of HTTP/2.
const STREAMS: u32 = 256;
/// How long a connection may be idle, and how long the head of a request may take. Longer than gateways keep
/// their connections, so that it is they who close them.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a connection of HTTP/2 is probed.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long open requests have at shutdown.
const DRAIN: Duration = Duration::from_secs(20);
/// The pause after a connection could not be accepted, as where the process has too many files open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What answers the requests that the port lets through.
pub trait Answers: Send + Sync + 'static {
    /// The answer to a request of `peer`.
    fn answer(&self, request: Request<Incoming>, peer: IpAddr)
    -> impl Future<Output = Response<Body>> + Send;
}

impl Answers for Endpoints {
    fn answer(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
    ) -> impl Future<Output = Response<Body>> + Send {
        Self::answer(self, request, peer)
    }
}

/// The port.
pub struct Server<A> {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    connections: Arc<Semaphore>,
    answers: Arc<A>,
    metrics: Metrics,
    spawner: Spawner,
}

impl<A: Answers> Server<A> {
    /// Listens on `address`, for at most `connections` at once; further ones wait to be accepted. Each is a
    /// task of `spawner`.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<Arc<Tls>>,
        connections: usize,
        answers: A,
        metrics: Metrics,
        spawner: Spawner,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let connections = Arc::new(Semaphore::new(connections));
        Ok(Self { listener, tls, connections, answers: Arc::new(answers), metrics, spawner })
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stop`; then takes no new connection, and lets what is open finish.
    pub async fn run(self, stop: &CancellationToken) {
        let graceful = GracefulShutdown::new();
        let builder = builder(self.spawner.clone());
        loop {
            let accepted = tokio::select! {
                accepted = self.accept() => accepted,
                () = stop.cancelled() => break,
            };
            let (stream, peer, permit) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let (answers, tls, metrics) = (Arc::clone(&self.answers), self.tls.clone(), self.metrics.clone());
            let (builder, watcher) = (builder.clone(), graceful.watcher());
            self.spawner.spawn(async move {
                metrics.connections.inc();
                let answer = service_fn(move |request| {
                    let answers = Arc::clone(&answers);
                    async move { Ok::<_, Infallible>(answers.answer(request, peer).await) }
                });
                match tls {
                    None => {
                        let connection = builder.serve_connection(timed(stream), answer).into_owned();
                        ended(watcher.watch(connection).await);
                    }
                    Some(tls) => match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                        Ok(Ok(stream)) => {
                            let connection = builder.serve_connection(timed(stream), answer).into_owned();
                            ended(watcher.watch(connection).await);
                        }
                        Ok(Err(error)) => tracing::debug!(%error, %peer, "no TLS was agreed on"),
                        Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
                    },
                }
                metrics.connections.dec();
                drop(permit);
            });
        }
        drop(self.listener);
        if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
            tracing::warn!(tasks = self.spawner.running(), "some connections were still open at the end");
        }
    }

    /// The next connection, once there is room for it.
    async fn accept(&self) -> std::io::Result<(TcpStream, IpAddr, Option<OwnedSemaphorePermit>)> {
        // Nobody ever closes the semaphore.
        let permit = Arc::clone(&self.connections).acquire_owned().await.ok();
        let (stream, peer) = self.listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok((stream, peer.ip(), permit))
    }
}

fn builder(spawner: Spawner) -> Builder<Spawner> {
    let mut builder = Builder::new(spawner);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .max_headers(HEADERS)
        .max_buf_size(HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD).unwrap_or(u32::MAX))
        .keep_alive_interval(PING_INTERVAL);
    builder
}

fn timed<S: AsyncRead + AsyncWrite>(stream: S) -> TokioIo<std::pin::Pin<Box<TimeoutStream<S>>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_read_timeout(Some(IDLE_TIMEOUT));
    stream.set_write_timeout(Some(IDLE_TIMEOUT));
    TokioIo::new(Box::pin(stream))
}

/// Clients go away and send nonsense all the time; who operates this can do nothing about it.
fn ended(result: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = result {
        tracing::debug!(%error, "a connection broke off");
    }
}
