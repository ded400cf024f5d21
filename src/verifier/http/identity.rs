//! What an upstream learns of a request that was let in: one table of headers, from which answers, the
//! `OpenAPI` document and the reference page are made. An answer always has every header, so that none that a
//! client sends is left.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::domain::value::time::{at_second, rfc3339};
use crate::domain::verdict::{OnBehalfOf, RequiredResource};
use crate::verifier::check::outcome::Allowed;
use crate::verifier::index::actor;

/// A header of an answer that lets in.
pub(super) struct IdentityHeader {
    /// Its name.
    pub(super) name: HeaderName,
    /// What it says.
    pub(super) about: &'static str,
    /// Its value; empty where it does not apply.
    value: ValueOf,
}

type ValueOf = fn(&Identity<'_>) -> HeaderValue;

/// Every header, in the order of the documentation.
pub(super) static HEADERS: [IdentityHeader; 9] = [
    header(
        "x-keyward-subject",
        "Whom the request is to be taken to come from: the person acted for, or else the service account.",
        |identity| text(identity.on_behalf_of().unwrap_or(&identity.actor)),
    ),
    header(
        "x-keyward-actor",
        "The service account that acts, as `keyward:<account>:<service account>`.",
        |identity| text(&identity.actor),
    ),
    header("x-keyward-account", "Its account: the namespace.", |identity| {
        text(&identity.allowed.entry.account)
    }),
    header("x-keyward-service-account", "Its name.", |identity| {
        text(&identity.allowed.entry.service_account)
    }),
    header("x-keyward-key-id", "Public id of the token.", |identity| text(identity.allowed.id.as_str())),
    header("x-keyward-resource", "The resource that was asked for, as `Category/name`.", |identity| {
        resource(identity.allowed).map_or(EMPTY, owned)
    }),
    header("x-keyward-role", "The role that the service account has there.", |identity| {
        identity.allowed.role.map_or(EMPTY, |role| HeaderValue::from_static(role.as_str()))
    }),
    header("x-keyward-on-behalf-of", "The person acted for.", |identity| {
        identity.on_behalf_of().map_or(EMPTY, text)
    }),
    header("x-keyward-expires-at", "When the token ends (RFC 3339, UTC).", |identity| {
        owned(expires_at(identity.allowed))
    }),
];

const EMPTY: HeaderValue = HeaderValue::from_static("");

const fn header(name: &'static str, about: &'static str, value: ValueOf) -> IdentityHeader {
    IdentityHeader { name: HeaderName::from_static(name), about, value }
}

/// What values are made of.
struct Identity<'a> {
    allowed: &'a Allowed<'a>,
    /// Made of what lies in the entry itself: its key's holder is seldom in the processor's cache.
    actor: String,
}

impl<'a> Identity<'a> {
    fn of(allowed: &'a Allowed<'a>) -> Self {
        Self { allowed, actor: actor(&allowed.entry.account, &allowed.entry.service_account) }
    }

    fn on_behalf_of(&self) -> Option<&str> {
        self.allowed.requirements.on_behalf_of.as_ref().map(OnBehalfOf::as_str)
    }
}

/// A copy: to count those that share a text takes longer.
fn text(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(EMPTY)
}

fn owned(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(EMPTY)
}

/// All of [`HEADERS`], empty, and of each the value's function in the order that the map gives them: a copy
/// to fill in is made faster than a map of its own.
static TEMPLATE: LazyLock<(HeaderMap, Vec<ValueOf>)> = LazyLock::new(|| {
    let template: HeaderMap = HEADERS.iter().map(|header| (header.name.clone(), EMPTY)).collect();
    let values = template.keys().filter_map(|name| HEADERS.iter().find(|header| header.name == name));
    let values = values.map(|header| header.value).collect();
    (template, values)
});

/// The headers of an answer that lets in.
pub(super) fn headers(allowed: &Allowed<'_>) -> HeaderMap {
    let (template, values) = &*TEMPLATE;
    let identity = Identity::of(allowed);
    let mut headers = template.clone();
    for (header, value) in headers.values_mut().zip(values) {
        *header = value(&identity);
    }
    headers
}

/// The same as names and values, in the order of the documentation.
pub(super) fn pairs(allowed: &Allowed<'_>) -> impl Iterator<Item = (&'static HeaderName, HeaderValue)> {
    let identity = Identity::of(allowed);
    HEADERS.iter().map(move |header| (&header.name, (header.value)(&identity)))
}

/// When the token ends, as RFC 3339.
pub(super) fn expires_at(allowed: &Allowed<'_>) -> String {
    rfc3339(at_second(allowed.good_until))
}

/// The resource as `Category/name`.
pub(super) fn resource(allowed: &Allowed<'_>) -> Option<String> {
    allowed.requirements.resource.as_ref().map(RequiredResource::label)
}
