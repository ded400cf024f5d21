//! Metrics of the verifier. Every label comes from a closed list, and every counter stands at 0 from the
//! start.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::RwLock;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::domain::verdict::Cause;
use crate::runtime::client::CallError;
use crate::runtime::server::Counts;
use crate::verifier::check::endpoint::Endpoint;
use crate::verifier::freshness::{Followed, Freshness};
use crate::verifier::index::Index;

/// The metrics of one verifier.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<RwLock<Registry>>,
    /// By endpoint and cause, the first one of each endpoint for requests that are let in.
    verifications: Arc<Vec<Counter>>,
    entries: Gauge,
    contested: Counter,
    silence: Family<KindLabel, Gauge>,
    recorded: Counter,
    failed_writes: Family<ReasonLabel, Counter>,
    untold_refusals: Family<PresentedLabel, Counter>,
    /// Acts that logs and Events give by number only.
    pub(super) unlisted_acts: Counter,
    /// Answers to failures that were held back.
    pub(super) held_back: Counter,
    /// What the port counts.
    pub port: Counts,
    /// Certificates that were read again.
    pub(super) reloads: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabels {
    endpoint: &'static str,
    outcome: &'static str,
    cause: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// Whether a key's token was presented, or something else.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PresentedLabel {
    presented: &'static str,
}

impl PresentedLabel {
    const ALL: [Self; 2] = [Self::of(false), Self::of(true)];

    const fn of(key: bool) -> Self {
        Self { presented: if key { "token" } else { "other" } }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("keyward_verifier");
        let verifications = Family::<OutcomeLabels, Counter>::default();
        registry.register(
            "verifications",
            "Requests for a verdict, by endpoint, outcome and the cause of a refusal",
            verifications.clone(),
        );
        let counters = Endpoint::ALL.iter().copied().flat_map(outcomes);
        let counters = counters.map(|labels| verifications.get_or_create_owned(&labels)).collect();
        let metrics = Self {
            registry: Arc::new(RwLock::new(registry)),
            verifications: Arc::new(counters),
            entries: Gauge::default(),
            contested: Counter::default(),
            silence: Family::default(),
            recorded: Counter::default(),
            failed_writes: Family::default(),
            untold_refusals: Family::default(),
            unlisted_acts: Counter::default(),
            held_back: Counter::default(),
            port: Counts::default(),
            reloads: Counter::default(),
        };
        metrics.register();
        for label in PresentedLabel::ALL {
            metrics.untold_refusals.get_or_create_owned(&label);
        }
        for reason in CallError::REASONS {
            metrics.failed_writes.get_or_create_owned(&ReasonLabel { reason });
        }
        metrics
    }
}

fn outcomes(endpoint: Endpoint) -> Vec<OutcomeLabels> {
    let endpoint = endpoint.as_str();
    let allowed = OutcomeLabels { endpoint, outcome: "allowed", cause: "" };
    let refused = |cause: &Cause| OutcomeLabels { endpoint, outcome: "refused", cause: cause.as_str() };
    std::iter::once(allowed).chain(Cause::ALL.iter().map(refused)).collect()
}

impl Metrics {
    fn register(&self) {
        let mut registry = self.registry.write();
        registry.register("tokens", "Tokens that are known", self.entries.clone());
        registry.register(
            "contested_ids",
            "Times a key claimed a token id that another key has",
            self.contested.clone(),
        );
        registry.register_with_unit(
            "silence",
            "Time since the API server was last heard of, by kind; -1 until its first list is complete",
            Unit::Seconds,
            self.silence.clone(),
        );
        registry.register("last_used_writes", "Keys whose last use was written", self.recorded.clone());
        registry.register(
            "failed_writes",
            "Writes of use to the API server that failed, by reason",
            self.failed_writes.clone(),
        );
        registry.register(
            "untold_refusals",
            "Refusals without an audit line of their own, since there were too many, by whether a token of a key was presented",
            self.untold_refusals.clone(),
        );
        registry.register(
            "unlisted_acts",
            "Requests on behalf of users that logs and Events give by number only, since there were too many",
            self.unlisted_acts.clone(),
        );
        registry.register("held_back", "Answers to failures that were held back", self.held_back.clone());
        let Counts { connections, displaced, overloaded } = &self.port;
        registry.register("connections", "Open connections", connections.clone());
        registry.register(
            "displaced_connections",
            "Connections that were closed since there was no room for further ones",
            displaced.clone(),
        );
        registry.register(
            "overloaded",
            "Requests that were refused since there was no memory for them",
            overloaded.clone(),
        );
        registry.register("certificate_reloads", "Certificates that were read again", self.reloads.clone());
    }

    /// A request was let in, or refused for `cause`.
    pub fn verified(&self, endpoint: Endpoint, cause: Option<Cause>) {
        let of_endpoint = (endpoint as usize) * (Cause::ALL.len() + 1);
        let of_cause = cause.map_or(0, |cause| cause as usize + 1);
        if let Some(counter) = self.verifications.get(of_endpoint + of_cause) {
            counter.inc();
        }
    }

    /// A refusal got no audit line of its own; `of_key` where the token was a key's own.
    pub fn untold_refusal(&self, of_key: bool) {
        self.untold_refusals.get_or_create(&PresentedLabel::of(of_key)).inc();
    }

    /// A key's last use was written.
    pub fn recorded(&self) {
        self.recorded.inc();
    }

    /// A write of use failed.
    pub fn failed_write(&self, reason: &'static str) {
        self.failed_writes.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// All of it in the `OpenMetrics` text format, with what is known now.
    ///
    /// # Errors
    /// When a metric cannot be written as text.
    pub fn text(&self, index: &Index, freshness: &Freshness) -> Result<String, std::fmt::Error> {
        self.entries.set(i64::try_from(index.len()).unwrap_or(i64::MAX));
        self.contested.inner().store(index.contested(), Ordering::Relaxed);
        for kind in Followed::ALL.iter().copied() {
            let seconds = freshness.silence(kind).as_ref().map_or(-1, |silence| whole_seconds(*silence));
            self.silence.get_or_create(&KindLabel { kind: kind.as_str() }).set(seconds);
        }
        let mut text = String::new();
        text::encode(&mut text, &self.registry.read())?;
        Ok(text)
    }
}

fn whole_seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::clock::Clock;

    #[test]
    fn each_outcome_has_a_counter_of_its_own() {
        let metrics = Metrics::default();
        for endpoint in Endpoint::ALL.iter().copied() {
            metrics.verified(endpoint, None);
            for cause in Cause::ALL {
                metrics.verified(endpoint, Some(*cause));
            }
        }
        let text =
            metrics.text(&Index::default(), &Freshness::new(Duration::from_mins(1), Clock::System)).unwrap();
        let ones = text.lines().filter(|line| line.starts_with("keyward_verifier_verifications_total{"));
        let ones: Vec<&str> = ones.collect();
        assert_eq!(ones.len(), Endpoint::ALL.len() * (Cause::ALL.len() + 1));
        assert!(ones.iter().all(|line| line.ends_with("} 1")), "{text}");
        assert!(text.contains("keyward_verifier_silence_seconds{kind=\"AccessKey\"} -1"), "{text}");
    }
}
