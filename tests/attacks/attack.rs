//! How an attack is run: on threads of its own, until it is told to stop.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long each attack runs where nothing else is said.
const SECONDS: u64 = 4;

/// How long each attack runs, and whether what it does to others is held against the bars.
pub struct Length {
    pub time: Duration,
    pub measured: bool,
}

impl Length {
    /// As `KEYWARD_ATTACK_SECONDS` says.
    pub fn of_this_run() -> Self {
        let asked = std::env::var("KEYWARD_ATTACK_SECONDS").ok().map(|text| text.parse().unwrap());
        Self { time: Duration::from_secs(asked.unwrap_or(SECONDS)), measured: asked.is_some() }
    }
}

/// Whether the attack goes on, and what it has done so far.
#[derive(Clone, Default)]
pub struct Going(Arc<(AtomicBool, AtomicU64)>);

impl Going {
    pub fn on(&self) -> bool {
        !self.0.0.load(Ordering::Relaxed)
    }

    pub fn did(&self, more: u64) {
        self.0.1.fetch_add(more, Ordering::Relaxed);
    }

    pub fn done(&self) -> u64 {
        self.0.1.load(Ordering::Relaxed)
    }
}

/// A running attack.
pub struct Attack {
    pub going: Going,
    threads: Vec<JoinHandle<()>>,
}

impl Attack {
    /// Runs `work` on so many threads; each is given its number.
    pub fn start(threads: usize, work: impl Fn(usize, &Going) + Clone + Send + 'static) -> Self {
        let going = Going::default();
        let start = |number| {
            let (work, going) = (work.clone(), going.clone());
            std::thread::spawn(move || work(number, &going))
        };
        Self { threads: (0..threads).map(start).collect(), going }
    }

    /// Ends it. Says how much it did.
    pub async fn stop(self) -> u64 {
        let Self { going, threads } = self;
        going.0.0.store(true, Ordering::Relaxed);
        let ended = tokio::task::spawn_blocking(move || {
            for thread in threads {
                thread.join().unwrap();
            }
        });
        ended.await.unwrap();
        going.done()
    }
}

/// Reads so many answers of HTTP/1.1, whatever they are. Says whether all of them came.
pub fn read_answers(stream: &mut impl Read, mut missing: usize, buffer: &mut [u8]) -> bool {
    const BEGIN: &[u8] = b"HTTP/1.1 ";
    let mut seen = 0;
    while missing > 0 {
        let Ok(read @ 1..) = stream.read(buffer) else { return false };
        for byte in &buffer[..read] {
            seen = if *byte == BEGIN[seen] { seen + 1 } else { usize::from(*byte == BEGIN[0]) };
            if seen == BEGIN.len() {
                (missing, seen) = (missing - 1, 0);
                if missing == 0 {
                    break;
                }
            }
        }
    }
    true
}
