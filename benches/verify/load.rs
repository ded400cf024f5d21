//! The load: a number of connections on one thread, each asking again as soon as it is answered. It parses
//! nothing and allocates nothing on the way, so that it is the server that is the slower one of the two. Nor
//! does it ever sleep: a server would have to wake it, and the slower one more often than the faster.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::support::Failure;
use crate::verify::client::PATIENCE;

/// Longer than any answer that lets in.
const LONGEST_ANSWER: usize = 4096;

/// Which requests are sent.
pub enum Order {
    /// Any, for so long.
    AtRandom(Duration),
    /// Each once.
    Each,
}

pub struct Load<'a> {
    pub address: SocketAddr,
    pub requests: &'a [Vec<u8>],
    pub connections: usize,
    pub order: Order,
}

/// What came of it.
pub struct Measured {
    pub answers: u64,
    pub elapsed: Duration,
    /// In nanoseconds.
    pub latency: Histogram<u64>,
}

impl Measured {
    #[allow(clippy::cast_precision_loss, reason = "no run has that many answers")]
    pub fn per_second(&self) -> f64 {
        self.answers as f64 / self.elapsed.as_secs_f64()
    }
}

struct Connection {
    stream: TcpStream,
    sent: Instant,
    answer: [u8; LONGEST_ANSWER],
    filled: usize,
}

impl Load<'_> {
    /// Runs to its end.
    ///
    /// # Errors
    /// Where an answer is not 200: every key of the load is good.
    pub fn run(self) -> Result<Measured, Failure> {
        let mut poll = Poll::new()?;
        let mut connections = Vec::with_capacity(self.connections);
        for n in 0..self.connections {
            connections.push(connect(self.address, &poll, Token(n))?);
        }
        let mut choice = Choice::new(&self.order, self.requests.len());
        let mut latency = Histogram::new(3)?;
        let start = Instant::now();
        let end = match self.order {
            Order::AtRandom(time) => Some(start + time),
            Order::Each => None,
        };
        let mut open = 0;
        for connection in &mut connections {
            open += usize::from(connection.send(self.requests, &mut choice, Instant::now())?);
        }
        let (mut answers, mut now) = (0, start);
        let mut events = Events::with_capacity(self.connections);
        while open > 0 && end.is_none_or(|end| now < end) {
            poll.poll(&mut events, Some(Duration::ZERO))?;
            if events.is_empty() && now.elapsed() > PATIENCE {
                return Err("no answer".into());
            }
            for event in &events {
                let Some(connection) = connections.get_mut(event.token().0) else { continue };
                if connection.receive()? {
                    now = Instant::now();
                    latency.record(u64::try_from((now - connection.sent).as_nanos())?)?;
                    answers += 1;
                    if !connection.send(self.requests, &mut choice, now)? {
                        open -= 1;
                    }
                }
            }
        }
        Ok(Measured { answers, elapsed: now - start, latency })
    }
}

fn connect(address: SocketAddr, poll: &Poll, token: Token) -> Result<Connection, Failure> {
    let stream = std::net::TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let mut stream = TcpStream::from_std(stream);
    poll.registry().register(&mut stream, token, Interest::READABLE)?;
    Ok(Connection { stream, sent: Instant::now(), answer: [0; LONGEST_ANSWER], filled: 0 })
}

impl Connection {
    /// Sends the next request; says whether there was one.
    fn send(&mut self, requests: &[Vec<u8>], choice: &mut Choice, now: Instant) -> Result<bool, Failure> {
        let Some(request) = choice.next().and_then(|n| requests.get(n)) else { return Ok(false) };
        self.sent = now;
        self.filled = 0;
        // Nothing else is under way, so there is room for all of it.
        if self.stream.write(request)? == request.len() { Ok(true) } else { Err("a request was cut".into()) }
    }

    /// Reads what is there; says whether the answer is whole.
    fn receive(&mut self) -> Result<bool, Failure> {
        loop {
            let room = self.answer.get_mut(self.filled..).unwrap_or_default();
            match self.stream.read(room) {
                Ok(0) => return Err("the connection was closed".into()),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            }
            let answer = self.answer.get(..self.filled).unwrap_or_default();
            if answer.ends_with(b"\r\n\r\n") {
                let good = answer.starts_with(b"HTTP/1.1 200 ");
                return if good { Ok(true) } else { Err(refused(answer)) };
            }
        }
    }
}

fn refused(answer: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(answer);
    format!("a good key was answered: {}", text.lines().next().unwrap_or_default()).into()
}

/// Which request comes next. Any order in which neighbours in memory do not follow each other will do.
struct Choice {
    count: u64,
    state: u64,
    left: Option<u64>,
}

impl Choice {
    fn new(order: &Order, count: usize) -> Self {
        let count = count as u64;
        Self { count, state: 0x9E37_79B9_7F4A_7C15, left: matches!(order, Order::Each).then_some(count) }
    }
}

impl Iterator for Choice {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let n = match &mut self.left {
            None => {
                // xorshift64, by Marsaglia.
                self.state ^= self.state << 13;
                self.state ^= self.state >> 7;
                self.state ^= self.state << 17;
                ((self.state >> 32) * self.count) >> 32
            }
            Some(0) => return None,
            Some(left) => {
                *left -= 1;
                // A prime that divides none of the counts in use, so that each comes once.
                (*left * 7919) % self.count
            }
        };
        usize::try_from(n).ok()
    }
}
