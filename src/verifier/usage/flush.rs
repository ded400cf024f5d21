//! Takes recorded use to the cluster, in batches and never on a request's way: when keys were last used, and
//! what they did on behalf of users. Each is written at a pace of its own, so that none waits for another.

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
/// How long writing may go on at the end.
const LAST_FLUSH: Duration = Duration::from_secs(10);
/// How long it waits before it tries again.
const NEXT_TRY: Duration = Duration::from_millis(100);

/// Writes use.
pub struct Flusher {
    writer: Writer,
    recorded_since: RecordedSince,
    acts: Acts,
    last_used: LastUsed,
    pace: Pace,
}

/// When it is written.
struct Pace {
    interval: Duration,
    random: Random,
}

impl Pace {
    /// Waits for an interval, give or take. Says whether that passed before `stop`.
    async fn next(&self, stop: &CancellationToken) -> bool {
        let wait = self.interval.mul_f64(self.random.jitter(JITTER));
        stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_some()
    }
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
            pace: Pace { interval, random },
        }
    }

    /// Writes until `stop`, and then once more what is left.
    pub async fn run(self, stop: &CancellationToken) {
        let Self { writer, mut recorded_since, acts, mut last_used, pace } = self;
        let since = async {
            while pace.next(stop).await {
                recorded_since.write(&writer).await;
            }
        };
        let acting = async {
            while pace.next(stop).await {
                acts.write(&writer).await;
            }
            acts.write(&writer).await;
        };
        let using = async {
            while pace.next(stop).await {
                last_used.write(&writer).await;
            }
            last_used.write(&writer).await;
            // What met another's write may be written once that has been heard of.
            while !last_used.is_done() {
                tokio::time::sleep(NEXT_TRY).await;
                last_used.write(&writer).await;
            }
        };
        let late = async {
            stop.cancelled().await;
            tokio::time::sleep(LAST_FLUSH).await;
        };
        tokio::select! {
            _ = async { futures::join!(since, acting, using) } => {}
            () = late => tracing::warn!("not all use could be written before the end"),
        }
    }
}
