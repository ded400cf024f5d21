//! Audit lines of the verifier. What is done on behalf of persons is always told; refusals beyond a rate are counted and
//! summed up, so that a flood of guesses does not become a flood of lines.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::api::reason::Reason;
use crate::domain::audit::acting::Act;
use crate::domain::audit::entry::VERIFIER;
use crate::domain::value::text::{cut, one_line};
use crate::domain::value::time::{at_second, rfc3339};
use crate::domain::verdict::{Cause, ResourceAsked, Standing};
use crate::runtime::telemetry;
use crate::verifier::check::checker::{Found, Request};
use crate::verifier::index::{Entry, Key};
use crate::verifier::metrics::Endpoint;

/// How many refusals are told a second, in the long run.
const LINES_PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// How many refusals may be told at once.
const LINES_AT_ONCE: NonZeroU32 = NonZeroU32::new(200).unwrap();
/// The longest request id that is told, in bytes.
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
pub struct Journal {
    refusals: DefaultDirectRateLimiter,
    untold: AtomicU64,
}

/// A request with what came of it.
pub(in crate::verifier) struct Told<'a> {
    pub(in crate::verifier) request: &'a Request<'a>,
    pub(in crate::verifier) found: Option<&'a Found<'a>>,
    /// Why it was refused, where it was.
    pub(in crate::verifier) cause: Option<Cause>,
    /// In seconds since 1970.
    pub(in crate::verifier) second: i64,
}

impl Told<'_> {
    /// What is known of the token, where whoever asked holds it.
    fn entry(&self) -> Option<&Entry> {
        let proven = self.cause.is_none_or(Cause::proves_identity);
        self.found.filter(|_| proven)?.entry
    }

    /// The key, where whoever asked holds its token.
    pub(in crate::verifier) fn key(&self) -> Option<&Key> {
        self.entry().map(|entry| &*entry.key)
    }

    fn resource(&self) -> Option<String> {
        self.request.asked.as_ref().ok()?.resource.as_ref().map(ResourceAsked::label)
    }

    /// What was done or tried on behalf of a person.
    pub(in crate::verifier) fn act(&self) -> Option<Act> {
        let person = self.request.asked.as_ref().ok()?.on_behalf_of.as_ref()?;
        let key = self.key();
        let gone =
            |entry: &Entry| matches!(entry.changing().service_account, Standing::Gone | Standing::Replaced);
        let uid = self.entry().filter(|entry| !gone(entry)).map(|entry| entry.key.issued_for.to_string());
        Some(Act {
            service_account_uid: uid.unwrap_or_default(),
            actor: key.map(|key| key.holder.actor.to_string()).unwrap_or_default(),
            key: key.map(|key| key.name.to_string()).unwrap_or_default(),
            key_id: self.found.map(|found| found.id.as_str().to_owned()).unwrap_or_default(),
            on_behalf_of: person.as_str().to_owned(),
            resource: self.resource(),
            refused: self.cause,
        })
    }
}

impl Default for Journal {
    fn default() -> Self {
        let quota = Quota::per_second(LINES_PER_SECOND).allow_burst(LINES_AT_ONCE);
        Self { refusals: RateLimiter::direct(quota), untold: AtomicU64::new(0) }
    }
}

impl Journal {
    /// A refusal that concerns no person acted for. The API server asks about tokens of others as well; those are no
    /// news.
    pub(in crate::verifier) fn refused(&self, told: &Told<'_>) {
        let not_ours = told.request.endpoint == Endpoint::TokenReview && told.cause == Some(Cause::Malformed);
        if not_ours || told.act().is_some() {
            return;
        }
        if self.refusals.check().is_err() {
            self.untold.fetch_add(1, Ordering::Relaxed);
            return;
        }
        line(told, Reason::Refused, None, told.cause.map_or("", Cause::meaning));
    }

    /// Something done or tried on behalf of a person.
    pub(in crate::verifier) fn acted(&self, told: &Told<'_>, act: &Act) {
        // A stranger can name as many persons as they like.
        if told.key().is_none() && self.refusals.check().is_err() {
            self.untold.fetch_add(1, Ordering::Relaxed);
            return;
        }
        line(told, act.reason(), Some(&act.on_behalf_of), &act.message());
    }

    /// Sums up what was not told.
    pub(in crate::verifier) fn sum_up(&self) {
        let untold = self.untold.swap(0, Ordering::Relaxed);
        if untold > 0 {
            tracing::info!(
                target: telemetry::AUDIT,
                actor = VERIFIER,
                action = Reason::Refused.action(),
                reason = Reason::Refused.as_str(),
                count = untold,
                "Further refusals, too many to tell each"
            );
        }
    }
}

/// A token's first use since its use was recorded last. An act for a person has a line of its own.
pub(in crate::verifier) fn first_use(told: &Told<'_>) {
    if told.act().is_some() {
        return;
    }
    line(told, Reason::Verified, None, "The key is good");
}

/// How often a key was used in an interval, and the second of the last time, where that was more than the once that was told.
pub(in crate::verifier) fn used(key: &Key, last: i64, count: u32) {
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

fn line(told: &Told<'_>, reason: Reason, on_behalf_of: Option<&str>, message: &str) {
    let Told { request, found, cause, second } = told;
    let key = told.key();
    tracing::info!(
        target: telemetry::AUDIT,
        at = %rfc3339(at_second(*second)),
        actor = key.map_or(VERIFIER, |key| &*key.holder.actor),
        action = reason.action(),
        account = key.map(|key| &*key.holder.account),
        object = key.map(|key| format!("AccessKey/{}", key.name)),
        key_id = found.map(|found| found.id.as_str()),
        reason = reason.as_str(),
        cause = cause.map(Cause::as_str),
        resource = told.resource(),
        on_behalf_of,
        subject = on_behalf_of.or_else(|| key.map(|key| &*key.holder.actor)),
        endpoint = request.endpoint.as_str(),
        client = request.client.map(tracing::field::display),
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
            asked: Ok(crate::domain::verdict::Asked::default()),
            client: None,
            request_id: "",
        };
        let journal = Journal::default();
        journal.refused(&Told {
            request: &request,
            found: None,
            cause: Some(Cause::NoCredential),
            second: 0,
        });
        assert_eq!(*seen.0.lock(), FIELDS.iter().map(|(name, _)| *name).collect());
        journal.untold.store(1, Ordering::Relaxed);
        journal.sum_up();
        assert_eq!(*seen.0.lock(), FIELDS.iter().chain([&COUNT]).map(|(name, _)| *name).collect());
    }
}
