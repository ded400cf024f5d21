//! What an upstream learns of a request that was let in: always every header, so that none that a client sends is left.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::domain::value::time::{at_second, rfc3339};
use crate::domain::verdict::{OnBehalfOf, ResourceAsked};
use crate::verifier::check::checker::Allowed;
use crate::verifier::index::{Entry, actor};

const EMPTY: HeaderValue = HeaderValue::from_static("");

/// Names of the identity headers, in the order of the documentation.
pub(super) const IDENTITY: [HeaderName; 9] = [
    HeaderName::from_static("x-keyward-subject"),
    HeaderName::from_static("x-keyward-actor"),
    HeaderName::from_static("x-keyward-account"),
    HeaderName::from_static("x-keyward-service-account"),
    HeaderName::from_static("x-keyward-key-id"),
    HeaderName::from_static("x-keyward-resource"),
    HeaderName::from_static("x-keyward-role"),
    HeaderName::from_static("x-keyward-on-behalf-of"),
    HeaderName::from_static("x-keyward-expires-at"),
];

/// What each of [`IDENTITY`] says.
pub(super) const ABOUT: [&str; 9] = [
    "Whom the request is to be taken to come from: the person acted for, or else the service account.",
    "The service account that acts, as `keyward:<account>:<service account>`.",
    "Its account: the namespace.",
    "Its name.",
    "Public id of the token.",
    "The resource that was asked for, as `Category/name`.",
    "The role that the service account has there.",
    "The person acted for.",
    "When the token ends (RFC 3339, UTC).",
];

/// The values of [`IDENTITY`]; empty where one does not apply.
pub(super) fn identity(allowed: &Allowed<'_>) -> [HeaderValue; 9] {
    let Entry { account, service_account, .. } = allowed.entry;
    let actor = actor(account, service_account);
    let on_behalf_of = allowed.asked.on_behalf_of.as_ref().map(OnBehalfOf::as_str);
    let value = |text: &str| HeaderValue::from_str(text).unwrap_or(EMPTY);
    let owned = |text: String| HeaderValue::try_from(text).unwrap_or(EMPTY);
    // Copies: to count those that share a text takes longer.
    [
        value(on_behalf_of.unwrap_or(&actor)),
        value(&actor),
        value(account),
        value(service_account),
        value(allowed.id.as_str()),
        resource(allowed).map_or(EMPTY, owned),
        allowed.role.map_or(EMPTY, |role| HeaderValue::from_static(role.as_str())),
        on_behalf_of.map_or(EMPTY, value),
        owned(expires_at(allowed)),
    ]
}

/// All of [`IDENTITY`], empty, with the place of each in the order that the map gives them: a copy to fill in is made faster
/// than a map of its own.
static FORM: LazyLock<(HeaderMap, Vec<usize>)> = LazyLock::new(|| {
    let form: HeaderMap = IDENTITY.into_iter().map(|name| (name, EMPTY)).collect();
    let places = form.keys().filter_map(|name| IDENTITY.iter().position(|known| known == name)).collect();
    (form, places)
});

/// The headers of an answer that lets in.
pub(super) fn identify(allowed: &Allowed<'_>) -> HeaderMap {
    let (form, places) = &*FORM;
    let mut headers = form.clone();
    let mut values = identity(allowed);
    for (header, place) in headers.values_mut().zip(places) {
        if let Some(value) = values.get_mut(*place) {
            std::mem::swap(header, value);
        }
    }
    headers
}

/// When the token ends, as RFC 3339.
pub(super) fn expires_at(allowed: &Allowed<'_>) -> String {
    rfc3339(at_second(allowed.good_until))
}

/// The resource as `Category/name`.
pub(super) fn resource(allowed: &Allowed<'_>) -> Option<String> {
    allowed.asked.resource.as_ref().map(ResourceAsked::label)
}
