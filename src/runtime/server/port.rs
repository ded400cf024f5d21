//! The port: connections within bounds, with TLS or without, and time to finish at shutdown.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::runtime::server::caller::Caller;
use crate::runtime::server::memory::{Connection, Memory};
use crate::runtime::spawner::Spawner;

/// The most headers of a request.
const HEADERS: usize = 64;
/// The most requests at once on a connection of HTTP/2: as few as RFC 9113 section 6.5.2 recommends.
const STREAMS: u32 = 100;
/// How much may be under way to a request of HTTP/2, in bytes, and to all of a connection: the least that
/// RFC 9113 section 6.9.2 lets it begin with.
const STREAM_WINDOW: u32 = 32 * 1024;
const CONNECTION_WINDOW: u32 = 65_535;
/// How much of its answers may wait for a client of HTTP/2, in bytes.
const SEND_BUFFER: usize = 32 * 1024;
/// What a connection holds beside the longest head, in bytes.
const OF_CONNECTION: usize = 8 * 1024;
/// What TLS holds beside that.
const OF_TLS: usize = 24 * 1024;
/// What HTTP/2 holds beside that, from the first request on: a window, and the tables of headers.
const OF_HTTP2: usize = 96 * 1024;
/// What a request of HTTP/2 holds beside its head.
const OF_STREAM: usize = 1024;
/// What a header holds beside its text.
const OF_HEADER: usize = 64;
/// The longest head that is part of what a connection of HTTP/1 holds.
const SMALL_HEAD: usize = 4 * 1024;
/// How long a connection may be idle, and how long the head of a request may take. Longer than gateways keep
/// their connections, so that it is they who close them.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a connection of HTTP/2 is probed.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long open requests have at shutdown.
const DRAIN: Duration = Duration::from_secs(20);
/// How many connections may wait to be accepted. Whoever finds no place tries again after a second, and a
/// crowd that comes at once must not have good keys do so. The kernel's `somaxconn` bounds it as well.
const BACKLOG: u32 = 4096;
/// How many connections may be accepted before they are read from. A crowd must not have one closed, for
/// others that came later, before its first request was looked at.
const UNREAD: usize = 64;
/// The pause after a connection could not be accepted, as where the process has too many files open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What answers the requests that the port lets through.
pub trait Answers: Send + Sync + 'static {
    /// The body of an answer.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static;

    /// The answer to a request of `caller`.
    fn answer(
        &self,
        request: Request<Incoming>,
        caller: &Caller,
    ) -> impl Future<Output = Response<Self::Body>> + Send;

    /// The answer to a request for which there is no room.
    fn overloaded(&self) -> Response<Self::Body>;
}

/// What a port may hold.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at once. Fewer where their buffers alone would take more than `memory`.
    pub connections: usize,
    /// Bytes, for connections and requests together.
    pub memory: usize,
    /// Bytes of the longest head of a request, at least 8192.
    pub head: usize,
}

/// What a port counts.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Open connections.
    pub connections: Gauge,
    /// Connections that had to give way to others.
    pub displaced: Counter,
    /// Requests for which there was no room.
    pub overloaded: Counter,
}

/// The port.
pub struct Server<A> {
    listener: TcpListener,
    answers: Arc<A>,
    shared: Arc<Shared>,
    /// For connections that were accepted and not read from yet.
    unread: Arc<Semaphore>,
    spawner: Spawner,
}

/// What all connections have in common.
struct Shared {
    tls: Option<TlsAcceptor>,
    memory: Arc<Memory>,
    /// What a connection holds from the start, in bytes.
    of_connection: usize,
    counts: Counts,
    builder: Builder<Spawner>,
}

impl<A: Answers> Server<A> {
    /// Listens on `address`. Where there is no room for a further connection, another gives way. Each is a
    /// task of `spawner`.
    ///
    /// # Errors
    /// When the address cannot be bound.
    ///
    /// # Panics
    /// Outside a runtime of tokio.
    pub fn bind(
        address: SocketAddr,
        tls: Option<TlsAcceptor>,
        bounds: Bounds,
        answers: A,
        counts: Counts,
        spawner: Spawner,
    ) -> std::io::Result<Self> {
        let listener = listen(address)?;
        let memory = Memory::new(bounds.memory, bounds.connections);
        let of_connection = bounds.head + OF_CONNECTION + if tls.is_some() { OF_TLS } else { 0 };
        let builder = builder(bounds.head, spawner.clone());
        let shared = Arc::new(Shared { tls, memory, of_connection, counts, builder });
        let unread = Arc::new(Semaphore::new(UNREAD));
        Ok(Self { listener, answers: Arc::new(answers), shared, unread, spawner })
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
        loop {
            let accepted = tokio::select! {
                accepted = self.accept() => accepted,
                () = stop.cancelled() => break,
            };
            let (stream, peer, unread) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let (answers, shared) = (Arc::clone(&self.answers), Arc::clone(&self.shared));
            let (connection, watcher) = (self.shared.open(), graceful.watcher());
            self.spawner.spawn(async move {
                shared.counts.connections.inc();
                let serve = shared.serve(stream, peer, answers, &connection, watcher);
                connection.close.run_until_cancelled(first_read(serve, unread)).await;
                shared.counts.connections.dec();
            });
        }
        drop(self.listener);
        if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
            tracing::warn!(tasks = self.spawner.running(), "some connections were still open at the end");
        }
    }

    async fn accept(&self) -> std::io::Result<(TcpStream, IpAddr, Option<OwnedSemaphorePermit>)> {
        // Nobody ever closes the semaphore.
        let unread = Arc::clone(&self.unread).acquire_owned().await.ok();
        let (stream, peer) = self.listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok((stream, peer.ip(), unread))
    }
}

impl Shared {
    fn open(&self) -> Arc<Connection> {
        let (connection, gone) = self.memory.open(self.of_connection);
        self.counts.displaced.inc_by(gone);
        connection
    }

    /// Answers the requests of one connection, to its end.
    async fn serve<A: Answers>(
        &self,
        stream: TcpStream,
        peer: IpAddr,
        answers: Arc<A>,
        connection: &Arc<Connection>,
        watcher: Watcher,
    ) {
        match &self.tls {
            None => self.talk(timed(stream), peer, answers, connection, watcher).await,
            Some(tls) => match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.talk(timed(stream), peer, answers, connection, watcher).await,
                Ok(Err(error)) => tracing::debug!(%error, %peer, "no TLS was agreed on"),
                Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
            },
        }
    }

    async fn talk<A: Answers, S: AsyncRead + AsyncWrite + Send + 'static>(
        &self,
        stream: Timed<S>,
        peer: IpAddr,
        answers: Arc<A>,
        connection: &Arc<Connection>,
        watcher: Watcher,
    ) {
        let overloaded = self.counts.overloaded.clone();
        let http2 = OnceLock::new();
        let session =
            Arc::new(Session { answers, peer, connection: Arc::clone(connection), http2, overloaded });
        let answer = service_fn(move |request| {
            let session = Arc::clone(&session);
            async move { Ok::<_, Infallible>(session.answer(request).await) }
        });
        let served = self.builder.serve_connection(stream, answer).into_owned();
        ended(watcher.watch(served).await);
    }
}

/// What the requests of one connection have in common.
struct Session<A> {
    answers: Arc<A>,
    peer: IpAddr,
    connection: Arc<Connection>,
    /// Whether there was room for HTTP/2, where it is spoken.
    http2: OnceLock<bool>,
    overloaded: Counter,
}

impl<A: Answers> Session<A> {
    async fn answer(&self, request: Request<Incoming>) -> Response<A::Body> {
        let caller = Caller::new(self.peer, Arc::clone(&self.connection));
        if self.has_room(&request, &caller) {
            return self.answers.answer(request, &caller).await;
        }
        self.overloaded.inc();
        self.answers.overloaded()
    }

    fn has_room(&self, request: &Request<Incoming>, caller: &Caller) -> bool {
        let head = length(request);
        if request.version() == Version::HTTP_2 {
            let for_all = || self.connection.hold(OF_HTTP2);
            return *self.http2.get_or_init(for_all) && caller.hold(OF_STREAM + head);
        }
        head <= SMALL_HEAD || caller.hold(head)
    }
}

/// Does `work`, and lets go of `unread` once it was begun: what has arrived by then is read and answered.
async fn first_read(work: impl Future<Output = ()>, unread: Option<OwnedSemaphorePermit>) {
    let (mut work, mut unread) = (std::pin::pin!(work), unread);
    std::future::poll_fn(|context| {
        let polled = work.as_mut().poll(context);
        drop(unread.take());
        polled
    })
    .await;
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As the library does for a listener of its own: a port is free again at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// How much a request's head holds, in bytes.
fn length(request: &Request<Incoming>) -> usize {
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + OF_HEADER);
    headers.sum::<usize>() + request.uri().path().len() + request.uri().query().map_or(0, str::len)
}

fn builder(head: usize, spawner: Spawner) -> Builder<Spawner> {
    let mut builder = Builder::new(spawner);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .max_headers(HEADERS)
        .max_buf_size(head);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX))
        .keep_alive_interval(PING_INTERVAL);
    builder
}

type Timed<S> = TokioIo<std::pin::Pin<Box<TimeoutStream<S>>>>;

fn timed<S: AsyncRead + AsyncWrite>(stream: S) -> Timed<S> {
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
