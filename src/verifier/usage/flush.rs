//! Takes recorded use to the cluster, in batches and never on a request's way: when keys were last used, and
//! what they did on behalf of users.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio_util::sync::CancellationToken;

use crate::runtime::audit::Source;
use crate::runtime::random::Random;
use crate::verifier::check::checker::Checker;
use crate::verifier::usage::acts::Acts;
use crate::verifier::usage::last_used::LastUsed;
use crate::verifier::usage::recorded_since::RecordedSince;
use crate::verifier::usage::recorder::Used;
use crate::verifier::usage::writer::Writer;

/// By what factor the interval may be missed or exceeded: replicas that start together do not write together.
const JITTER: std::ops::Range<f64> = 0.8..1.2;
/// How long the last flush may take.
const LAST_FLUSH: Duration = Duration::from_secs(10);
/// How long it waits before it tries again.
const NEXT_TRY: Duration = Duration::from_millis(100);

/// Writes use.
pub struct Flusher {
    writer: Writer,
    recorded_since: RecordedSince,
    acts: Acts,
    last_used: LastUsed,
    interval: Duration,
    random: Random,
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
        random: Random,
    ) -> Self {
        Self {
            writer: Writer::new(client, checker, writes_per_second),
            recorded_since: RecordedSince::default(),
            acts: Acts::new(source),
            last_used: LastUsed::new(used),
            interval,
            random,
        }
    }

    /// Writes until `stop`, and then once more what is left.
    pub async fn run(mut self, stop: &CancellationToken) {
        loop {
            let wait = self.interval.mul_f64(self.random.jitter(JITTER));
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
        while !self.last_used.is_done() {
            tokio::time::sleep(NEXT_TRY).await;
            self.last_used.write(&self.writer).await;
        }
    }

    async fn flush(&mut self) {
        self.writer.checker.index.tidy();
        self.writer.checker.audit.sum_up();
        self.recorded_since.write(&self.writer).await;
        self.acts.write(&self.writer).await;
        self.last_used.write(&self.writer).await;
    }
}
