//! The load: connections that ask again as soon as they are answered, each time with another key, for a bounded time. It
//! reads answers without taking them apart, so that it costs less than whoever answers.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rand::RngExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::others::Process;
use crate::{Failure, keys};

/// How many connections ask at once.
pub const CONNECTIONS: usize = 32;
/// Not measured, ahead of each round.
const WARM_UP: Duration = Duration::from_millis(500);
/// How many different keys are asked with.
const ASKED_WITH: usize = 20_000;

/// The longest answer that is told from longer ones, in nanoseconds.
const BOUND: u64 = 60_000_000_000;

/// What a round gave.
pub struct Measured {
    pub per_second: f64,
    p50: Duration,
    p99: Duration,
    processor: Duration,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |time: Duration| format!("{} µs", time.as_micros());
        let Self { per_second, p50, p99, processor } = self;
        let processor = format!("{:.1} µs", processor.as_secs_f64() * 1e6);
        write!(f, "{per_second:>10.0} {:>9} {:>9} {processor:>14}", micros(*p50), micros(*p99))
    }
}

/// Requests with keys out of all of them.
pub fn requests(keys: usize) -> Vec<Vec<u8>> {
    let count = keys.min(ASKED_WITH);
    let numbers = (0..count).map(|number| number * (keys / count));
    let request =
        |token: &str| format!("GET /auth HTTP/1.1\r\nhost: bench\r\nx-api-key: {token}\r\n\r\n").into_bytes();
    numbers.filter_map(|number| Some(request(keys::token(number).ok()?.reveal()))).collect()
}

/// Asks for a while.
pub fn run(process: &Process, requests: &[Vec<u8>], time: Duration) -> Result<Measured, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    let round = Rc::new(Round::new(requests.to_vec())?);
    let before = Rc::new(Cell::new(0));
    let elapsed = local.block_on(&runtime, async {
        let asking: Vec<_> = (0..CONNECTIONS)
            .map(|_| tokio::task::spawn_local(ask(Rc::clone(&round), process.address)))
            .collect();
        tokio::time::sleep(WARM_UP).await;
        before.set(process.processor_ticks()?);
        round.phase.set(Phase::Measured);
        let start = Instant::now();
        tokio::time::sleep(time).await;
        round.phase.set(Phase::Over);
        let elapsed = start.elapsed();
        for one in asking {
            one.await??;
        }
        Ok::<_, Failure>(elapsed)
    })?;
    let ticks = process.processor_ticks()? - before.get();
    let taken = round.taken.borrow();
    let count = u32::try_from(taken.len())?;
    Ok(Measured {
        per_second: f64::from(count) / elapsed.as_secs_f64(),
        p50: Duration::from_nanos(taken.value_at_quantile(0.5)),
        p99: Duration::from_nanos(taken.value_at_quantile(0.99)),
        processor: Duration::from_millis(10) * ticks / count.max(1),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    WarmUp,
    Measured,
    Over,
}

struct Round {
    requests: Vec<Vec<u8>>,
    phase: Cell<Phase>,
    /// Nanoseconds from each request to its answer.
    taken: RefCell<Histogram<u64>>,
}

impl Round {
    fn new(requests: Vec<Vec<u8>>) -> Result<Self, Failure> {
        Ok(Self {
            requests,
            phase: Cell::new(Phase::WarmUp),
            taken: RefCell::new(Histogram::new_with_max(BOUND, 3)?),
        })
    }
}

async fn ask(round: Rc<Round>, address: SocketAddr) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(address).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let mut buffer = [0; 4096];
    let mut next = rand::rng().random_range(0..round.requests.len());
    while round.phase.get() != Phase::Over {
        next = (next + 1) % round.requests.len();
        let request = round.requests.get(next).ok_or("no request")?;
        let phase = round.phase.get();
        let start = Instant::now();
        stream.write_all(request).await.map_err(failed)?;
        answered(&mut stream, &mut buffer).await?;
        if phase == Phase::Measured && round.phase.get() == phase {
            let taken = u64::try_from(start.elapsed().as_nanos()).map_err(|error| error.to_string())?;
            round.taken.borrow_mut().saturating_record(taken);
        }
    }
    Ok(())
}

/// Reads a whole answer without a body; it must be 200.
async fn answered(stream: &mut TcpStream, buffer: &mut [u8; 4096]) -> Result<(), String> {
    let mut length = 0;
    loop {
        let rest =
            buffer.get_mut(length..).filter(|rest| !rest.is_empty()).ok_or("the answer is too long")?;
        let read = stream.read(rest).await.map_err(|error| error.to_string())?;
        length += read;
        let so_far = buffer.get(..length).unwrap_or_default();
        if so_far.ends_with(b"\r\n\r\n") {
            let good = so_far.starts_with(b"HTTP/1.1 200");
            return good.then_some(()).ok_or_else(|| "a good key was refused".into());
        }
        if read == 0 {
            return Err("the connection ended".into());
        }
    }
}
