//! Audit lines of the verifier. What is done on behalf of users is always written; refusals beyond a rate are
//! counted and summed up, so that a flood of guesses does not become a flood of lines. Where the token is a
//! key's own, the key has a rate of its own, so that no stranger and no other key can keep its refusals from
//! being told. No token, and no decision, comes in.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::Quota;

use crate::api::reason::Reason;
use crate::domain::audit::acting::Act;
use crate::domain::audit::entry::VERIFIER;
use crate::domain::value::text::{cut, one_line};
use crate::domain::value::time::{at_second, rfc3339};
use crate::domain::verdict::Cause;
use crate::runtime::clock::Clock;
use crate::runtime::rate::{KeyedRate, Rate, direct};
use crate::runtime::telemetry;
use crate::verifier::check::endpoint::Endpoint;
use crate::verifier::check::outcome::Outcome;
use crate::verifier::index::Key;
use crate::verifier::metrics::Metrics;

/// How many refusals of strangers have a line a second, in the long run.
const LINES_PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// How many of them may have a line at once.
const LINES_AT_ONCE: NonZeroU32 = NonZeroU32::new(200).unwrap();
/// How many refusals of one key have a line a second, in the long run.
const LINES_PER_SECOND_OF_KEY: NonZeroU32 = NonZeroU32::new(1).unwrap();
/// How many of them may have a line at once.
const LINES_AT_ONCE_OF_KEY: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// The longest request id that is written, in bytes.
const REQUEST_ID_LENGTH: usize = 128;

/// What an audit line of the verifier may have, beside the fields of every log line.
pub const FIELDS: [(&str, &str); 15] = [
    ("message", "What happened, as a sentence; of a refusal, the meaning of its cause."),
    ("at", "When, to the second, UTC."),
    (
        "actor",
        "The service account, as `keyward:<account>:<service account>`. `verifier` where the token is not proven to be its.",
    ),
    ("action", "One verb: `Verify`, `Refuse` or `Act`."),
    ("account", "The namespace of the key."),
    ("object", "The key, as `AccessKey/<name>`."),
    ("key_id", "The id in the presented token, also where nothing of that id is known."),
    (
        "reason",
        "One word out of the [closed list](events.md): `Verified`, `Refused`, `ActedOnBehalf` or `ActingRefused`.",
    ),
    ("cause", "Why it was refused: one word out of the list above."),
    ("resource", "The resource that was asked for, as `Category/name`."),
    ("on_behalf_of", "The person acted for."),
    ("subject", "The person acted for, or else the service account."),
    (
        "endpoint",
        "Where the request came in: `auth`, `nginx`, `traefik`, `caddy`, `envoy`, `grpc`, `verify` or `tokenreview`.",
    ),
    ("client", "The address of who asked, or of the client that a trusted gateway named."),
    ("request_id", "The id that the gateway or client gave the request."),
];
/// The field that only lines which sum up have.
pub const COUNT: (&str, &str) = ("count", "How many that the line sums up were not told one by one.");

/// Writes audit lines.
pub struct AuditLines {
    /// Refusals of those who hold no key's token.
    strangers: Rate,
    /// Refusals of keys, by UID.
    keys: KeyedRate,
    untold: Untold,
}

/// Refusals without a line of their own.
struct Untold {
    of_strangers: AtomicU64,
    of_keys: AtomicU64,
    metrics: Metrics,
}

impl AuditLines {
    /// Lines within rates that go by `clock`; see [`KeyedRate`] for `seed`.
    pub fn new(clock: Clock, seed: u64, metrics: Metrics) -> Self {
        let strangers = Quota::per_second(LINES_PER_SECOND).allow_burst(LINES_AT_ONCE);
        let keys = Quota::per_second(LINES_PER_SECOND_OF_KEY).allow_burst(LINES_AT_ONCE_OF_KEY);
        Self {
            strangers: direct(strangers, clock.clone()),
            keys: KeyedRate::new(keys, clock, seed),
            untold: Untold { of_strangers: AtomicU64::new(0), of_keys: AtomicU64::new(0), metrics },
        }
    }

    /// A refusal that concerns no user acted for. The API server asks about tokens of others as well; those
    /// are no news.
    pub(in crate::verifier) fn refused(&self, outcome: &Outcome<'_>) {
        let not_ours =
            outcome.request.endpoint == Endpoint::TokenReview && outcome.cause == Some(Cause::Malformed);
        if not_ours || outcome.act().is_some() || !self.has_room(outcome.key()) {
            return;
        }
        line(outcome, Reason::Refused, None, outcome.cause.map_or("", Cause::meaning));
    }

    /// Something done or tried on behalf of a user.
    pub(in crate::verifier) fn acted(&self, outcome: &Outcome<'_>, act: &Act) {
        // A stranger can name as many users as they like.
        if outcome.key().is_none() && !self.has_room(None) {
            return;
        }
        line(outcome, act.reason(), Some(&act.on_behalf_of), &act.message());
    }

    /// Whether there is room for a line about a refusal of that key, or of a stranger; counts what gets none.
    fn has_room(&self, key: Option<&Key>) -> bool {
        let has_room = match key {
            Some(key) => self.keys.check(&key.uid),
            None => self.strangers.check().is_ok(),
        };
        if !has_room {
            self.untold.count(key.is_some());
        }
        has_room
    }

    /// Says how many refusals got no line.
    pub(in crate::verifier) fn sum_up(&self) {
        let Untold { of_strangers, of_keys, metrics: _ } = &self.untold;
        told_by_number(of_strangers, "Further refusals, too many to tell each");
        told_by_number(of_keys, "Further refusals of keys whose token was presented, too many to tell each");
    }

    /// Forgets keys that were not refused for a while.
    pub fn tidy(&self) {
        self.keys.tidy();
    }
}

impl Untold {
    fn count(&self, of_key: bool) {
        let count = if of_key { &self.of_keys } else { &self.of_strangers };
        count.fetch_add(1, Ordering::Relaxed);
        self.metrics.untold_refusal(of_key);
    }
}

fn told_by_number(count: &AtomicU64, message: &str) {
    let count = count.swap(0, Ordering::Relaxed);
    if count > 0 {
        tracing::info!(
            target: telemetry::AUDIT,
            actor = VERIFIER,
            action = Reason::Refused.action(),
            reason = Reason::Refused.as_str(),
            count,
            "{message}"
        );
    }
}

/// A token's first use since its use was recorded last. An act for a user has a line of its own.
pub(in crate::verifier) fn first_use(outcome: &Outcome<'_>) {
    if outcome.act().is_some() {
        return;
    }
    line(outcome, Reason::Verified, None, "The key is good");
}

/// How often a key was used in an interval, and the second of the last time, where that was more than the
/// first use.
pub(in crate::verifier) fn repeated_use(key: &Key, last: i64, count: u32) {
    if count < 2 {
        return;
    }
    tracing::info!(
        target: telemetry::AUDIT,
        at = %rfc3339(at_second(last)),
        actor = &*key.holder.actor,
        action = Reason::Verified.action(),
        account = &*key.holder.account,
        object = format!("AccessKey/{}", key.name),
        reason = Reason::Verified.as_str(),
        count,
        "The key was good each time since it was told last"
    );
}

fn line(outcome: &Outcome<'_>, reason: Reason, on_behalf_of: Option<&str>, message: &str) {
    let Outcome { request, presented, cause, second } = outcome;
    let key = outcome.key();
    tracing::info!(
        target: telemetry::AUDIT,
        at = %rfc3339(at_second(*second)),
        actor = key.map_or(VERIFIER, |key| &*key.holder.actor),
        action = reason.action(),
        account = key.map(|key| &*key.holder.account),
        object = key.map(|key| format!("AccessKey/{}", key.name)),
        key_id = presented.map(|presented| presented.id.as_str()),
        reason = reason.as_str(),
        cause = cause.map(Cause::as_str),
        resource = outcome.resource(),
        on_behalf_of,
        subject = on_behalf_of.or_else(|| key.map(|key| &*key.holder.actor)),
        endpoint = request.endpoint.as_str(),
        client = request.client.address().map(tracing::field::display),
        request_id = Some(request.request_id).filter(|id| !id.is_empty()).map(|id| cut(&one_line(id), REQUEST_ID_LENGTH)),
        "{message}"
    );
}

#[cfg(test)]
mod tests {
    //! What audit lines hold is what the reference page says of them.

    use std::collections::BTreeSet;
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tracing::Subscriber;
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

    use super::*;
    use crate::domain::verdict::Requirements;
    use crate::verifier::check::client::Client;
    use crate::verifier::check::request::Request;

    /// Notes which fields audit lines have.
    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<BTreeSet<&'static str>>>);

    impl<S: Subscriber> Layer<S> for Seen {
        fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
            if event.metadata().target() == telemetry::AUDIT {
                self.0.lock().extend(event.metadata().fields().iter().map(|field| field.name()));
            }
        }
    }

    #[test]
    fn every_field_of_a_line_is_in_the_reference() {
        let seen = Seen::default();
        let _here = tracing::subscriber::set_default(tracing_subscriber::registry().with(seen.clone()));
        let request = Request {
            endpoint: Endpoint::Auth,
            credential: Err(Cause::NoCredential),
            requirements: Ok(Requirements::default()),
            client: Client::Unknown,
            request_id: "",
        };
        let lines = AuditLines::new(Clock::System, 7, Metrics::default());
        let cause = Some(Cause::NoCredential);
        lines.refused(&Outcome { request: &request, presented: None, cause, second: 0 });
        assert_eq!(*seen.0.lock(), FIELDS.iter().map(|(name, _)| *name).collect());
        lines.untold.count(false);
        lines.sum_up();
        assert_eq!(*seen.0.lock(), FIELDS.iter().chain([&COUNT]).map(|(name, _)| *name).collect());
    }
}
