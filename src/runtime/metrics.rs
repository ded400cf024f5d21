//! Prometheus metrics of the controller. Every label comes from a closed list; none holds the name of an
//! object. Counters stand at 0 from the start, so that an increase from nothing to one is seen as an
//! increase.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::client::CallError;
use crate::api::{Kind, Reason};
use crate::domain::audit::catalog;

/// Kinds of objects that are passed over: Keyward's own, and Secrets whose key may be gone.
const RECONCILED: [Kind; 5] =
    [Kind::AccessKey, Kind::Account, Kind::ResourceGrant, Kind::Secret, Kind::ServiceAccount];

/// Why a pass fails, where no call to the API server is the cause: the operating system gave no random bytes.
pub const RANDOM: &str = "Random";

/// The metrics of one process.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<RwLock<Registry>>,
    reconciles: Family<KindLabel, Counter>,
    durations: Family<KindLabel, Histogram>,
    errors: Family<KindReasonLabels, Counter>,
    writes: Family<KindLabel, Counter>,
    audits: Family<ReasonLabel, Counter>,
    api_errors: Family<ReasonLabel, Counter>,
    objects: Family<KindStateLabels, Gauge>,
    stalled: Family<KindReasonLabels, Gauge>,
    expiring: Family<WithinLabel, Gauge>,
    leader: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

impl KindLabel {
    fn of(kind: Kind) -> Self {
        Self { kind: kind.as_str() }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindStateLabels {
    kind: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindReasonLabels {
    kind: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct WithinLabel {
    within: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Arc::new(RwLock::new(Registry::with_prefix("keyward"))),
            reconciles: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.0005, 2.0, 16))),
            errors: Family::default(),
            writes: Family::default(),
            audits: Family::default(),
            api_errors: Family::default(),
            objects: Family::default(),
            stalled: Family::default(),
            expiring: Family::default(),
            leader: Gauge::default(),
        };
        metrics.register();
        metrics.begin();
        metrics
    }
}

impl Metrics {
    /// Makes every series of a counter, and of what is refused.
    fn begin(&self) {
        for (kind, reasons) in catalog::KINDS {
            for reason in catalog::of_ready(reasons) {
                self.stalled(kind, reason, 0);
            }
        }
        for kind in RECONCILED.map(Kind::as_str) {
            self.reconciles.get_or_create_owned(&KindLabel { kind });
            self.durations.get_or_create_owned(&KindLabel { kind });
            for reason in CallError::REASONS.into_iter().chain([RANDOM]) {
                self.errors.get_or_create_owned(&KindReasonLabels { kind, reason });
            }
        }
        for kind in Kind::ALL.iter().map(|kind| kind.as_str()) {
            self.writes.get_or_create_owned(&KindLabel { kind });
        }
        for reason in catalog::by_controller() {
            self.audits.get_or_create_owned(&ReasonLabel { reason: reason.as_str() });
        }
        for reason in CallError::REASONS {
            self.api_errors.get_or_create_owned(&ReasonLabel { reason });
        }
    }

    fn register(&self) {
        let Self {
            registry,
            reconciles,
            durations,
            errors,
            writes,
            audits,
            api_errors,
            objects,
            stalled,
            expiring,
            leader,
        } = self;
        let mut registry = registry.write();
        registry.register("reconciles", "Passes over an object, by kind", reconciles.clone());
        registry.register_with_unit(
            "reconcile_duration",
            "Time of a pass over an object, by kind",
            Unit::Seconds,
            durations.clone(),
        );
        registry.register(
            "reconcile_errors",
            "Passes that failed, by kind and reason; they are tried again, and `Conflict` is harmless",
            errors.clone(),
        );
        registry.register("writes", "Objects written to the API server, by kind", writes.clone());
        registry.register("audit_entries", "Audit entries written, by reason", audits.clone());
        registry.register(
            "audit_event_errors",
            "Audit events that could not be written, by reason",
            api_errors.clone(),
        );
        registry.register("objects", "Objects, by kind and state", objects.clone());
        registry.register(
            "stalled",
            "Objects that are refused until a user helps, by kind and reason",
            stalled.clone(),
        );
        registry.register(
            "access_keys_expiring",
            "Active access keys that nothing renews, by the time within which they expire",
            expiring.clone(),
        );
        registry.register("leader", "1 while this process leads", leader.clone());
    }

    /// A pass over an object of `kind` is over.
    pub fn reconciled(&self, kind: Kind, took: Duration) {
        self.reconciles.get_or_create(&KindLabel::of(kind)).inc();
        self.durations.get_or_create(&KindLabel::of(kind)).observe(took.as_secs_f64());
    }

    /// A pass over an object of `kind` failed.
    pub fn failed(&self, kind: Kind, reason: &'static str) {
        self.errors.get_or_create(&KindReasonLabels { kind: kind.as_str(), reason }).inc();
    }

    /// An object of `kind` was written.
    pub fn wrote(&self, kind: Kind) {
        self.writes.get_or_create(&KindLabel::of(kind)).inc();
    }

    /// An audit entry was written. A word outside the closed list is not counted.
    pub fn audited(&self, reason: &str) {
        if let Some(reason) = Reason::ALL.iter().find(|known| known.as_str() == reason) {
            self.audits.get_or_create(&ReasonLabel { reason: reason.as_str() }).inc();
        }
    }

    /// An audit event could not be written.
    pub fn api_error(&self, reason: &'static str) {
        self.api_errors.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// How many objects of `kind` are in `state`.
    pub fn objects(&self, kind: Kind, state: &'static str, count: usize) {
        self.objects
            .get_or_create(&KindStateLabels { kind: kind.as_str(), state })
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// How many objects of `kind` are refused for `reason` until a user helps.
    pub fn stalled(&self, kind: Kind, reason: Reason, count: usize) {
        let labels = KindReasonLabels { kind: kind.as_str(), reason: reason.as_str() };
        self.stalled.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// How many keys that nothing renews expire `within` a time.
    pub fn expiring(&self, within: &'static str, count: usize) {
        self.expiring.get_or_create(&WithinLabel { within }).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Whether this process leads.
    pub fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// All of it in the `OpenMetrics` text format.
    ///
    /// # Errors
    /// When a metric cannot be written as text.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry.read())?;
        Ok(text)
    }
}
