//! Takes recorded use to the cluster, in batches and never on a request's way: when keys were last used, and what they did
//! on behalf of persons.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use kube::Client;
use rand::RngExt as _;
use tokio_util::sync::CancellationToken;

use crate::runtime::audit::Source;
use crate::verifier::check::checker::Checker;
use crate::verifier::index::Key;
use crate::verifier::usage::recorder::Used;

/// The field manager of everything that the verifier writes.
pub const FIELD_MANAGER: &str = "keyward-verifier";
/// How many times the interval may be missed or exceeded, in percent: replicas that start together do not write together.
const JITTER: std::ops::Range<u32> = 80..120;
/// How long the last flush may take.
const LAST_FLUSH: Duration = Duration::from_secs(10);
/// How long it waits before it tries again.
const NEXT_TRY: Duration = Duration::from_millis(100);

/// Writes use.
pub struct Flusher {
    pub(super) client: Client,
    pub(super) checker: Arc<Checker>,
    pub(super) used: Used,
    /// Keys whose use could not be written yet.
    pub(super) again: Vec<(Arc<Key>, i64)>,
    /// Accounts of which it is known since when use is recorded.
    pub(super) begun: HashMap<Arc<str>, Instant>,
    pub(super) interval: Duration,
    pub(super) rate: DefaultDirectRateLimiter,
    pub(super) source: Source,
}

impl Flusher {
    /// A writer that writes every `interval`, give or take, and at most so many objects a second.
    pub fn new(
        client: Client,
        checker: Arc<Checker>,
        used: Used,
        interval: Duration,
        writes_per_second: NonZeroU32,
        source: Source,
    ) -> Self {
        let rate = RateLimiter::direct(Quota::per_second(writes_per_second));
        Self { client, checker, used, again: Vec::new(), begun: HashMap::new(), interval, rate, source }
    }

    /// Writes until `stop`, and then once more what is left.
    pub async fn run(mut self, stop: &CancellationToken) {
        loop {
            let wait = self.interval * rand::rng().random_range(JITTER) / 100;
            tokio::select! {
                () = tokio::time::sleep(wait) => self.flush().await,
                () = stop.cancelled() => break,
            }
        }
        if tokio::time::timeout(LAST_FLUSH, self.flush_all()).await.is_err() {
            tracing::warn!("not all use could be written before the end");
        }
    }

    /// Until nothing is left: what met another's write may be written once that has been heard of.
    async fn flush_all(&mut self) {
        self.flush().await;
        while !self.again.is_empty() {
            tokio::time::sleep(NEXT_TRY).await;
            self.write_last_used().await;
        }
    }

    async fn flush(&mut self) {
        self.checker.index.tidy();
        self.checker.journal.sum_up();
        self.write_recorded_since().await;
        self.write_acts().await;
        self.write_last_used().await;
    }
}
