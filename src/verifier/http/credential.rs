//! The credential and the requirements in a request's headers. What is sent twice is refused rather than
//! chosen from. Some gateways join it by a comma before they pass it on.

use http::{HeaderMap, HeaderValue};

use crate::domain::verdict::{BadRequest, Cause, Requirements, ResourceText};
use crate::verifier::http::profile::{Profile, Route};

pub(super) const AUTHORIZATION: &str = "authorization";
pub(super) const API_KEY: &str = "x-api-key";
pub(super) const ON_BEHALF_OF: &str = "x-keyward-on-behalf-of";
pub(super) const RESOURCE: &str = "x-keyward-resource";
pub(super) const ROLE: &str = "x-keyward-role";
pub(super) const REQUEST_ID: &str = "x-request-id";

/// Those of a request's headers that are read. Gateways send many others, so each is looked at once.
#[derive(Default)]
pub(super) struct Sent<'a> {
    authorization: Header<'a>,
    api_key: Header<'a>,
    resource: Header<'a>,
    role: Header<'a>,
    on_behalf_of: Header<'a>,
    request_id: Header<'a>,
}

/// A header's first value, and whether there are more.
#[derive(Default)]
struct Header<'a> {
    first: Option<&'a HeaderValue>,
    more: bool,
}

impl<'a> Header<'a> {
    fn add(&mut self, value: &'a HeaderValue) {
        self.more = self.first.is_some();
        self.first = self.first.or(Some(value));
    }

    /// The one value, where there is one.
    fn one(&self, name: &str, cause: Cause) -> Result<Option<&'a str>, BadRequest> {
        if self.more {
            return Err(bad(cause, format!("`{name}` must be sent once")));
        }
        let Some(value) = self.first else { return Ok(None) };
        value.to_str().map(Some).map_err(|_| bad(cause, format!("`{name}` must be visible ASCII")))
    }
}

impl<'a> Sent<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let mut sent = Self::default();
        for (name, value) in headers {
            // What is empty is nothing: Caddy passes on headers that the client did not send so.
            if value.is_empty() {
                continue;
            }
            let header = match name.as_str() {
                AUTHORIZATION => &mut sent.authorization,
                API_KEY => &mut sent.api_key,
                RESOURCE => &mut sent.resource,
                ROLE => &mut sent.role,
                ON_BEHALF_OF => &mut sent.on_behalf_of,
                REQUEST_ID => &mut sent.request_id,
                _ => continue,
            };
            header.add(value);
        }
        sent
    }

    /// The one credential: `Authorization: Bearer` or `X-API-Key`.
    ///
    /// # Errors
    /// Where there is none, or more than one of any kind.
    pub(super) fn credential(&self) -> Result<&'a str, Cause> {
        let Self { authorization, api_key, .. } = self;
        if authorization.more || api_key.more {
            return Err(Cause::SeveralCredentials);
        }
        let text = |value: &'a HeaderValue| match value.to_str() {
            Ok(text) if text.contains(',') => Err(Cause::SeveralCredentials),
            Ok(text) => Ok(text),
            Err(_) => Err(Cause::Malformed),
        };
        match (authorization.first, api_key.first) {
            (None, None) => Err(Cause::NoCredential),
            (Some(_), Some(_)) => Err(Cause::SeveralCredentials),
            (Some(value), None) => bearer(text(value)?),
            (None, Some(value)) => text(value).map(str::trim),
        }
    }

    /// What the request requires. The resource is what the URL says; only a plain request may name it in a
    /// header.
    ///
    /// # Errors
    /// Where that cannot be meant.
    pub(super) fn requirements(&self, route: &Route<'_>) -> Result<Requirements, BadRequest> {
        let resource = match route.resource {
            Some(resource) => Some(resource),
            None if route.profile == Profile::Plain => self.resource()?,
            None => None,
        };
        let requirements = Requirements::for_resource(resource)?;
        let user = self.on_behalf_of.one(ON_BEHALF_OF, Cause::BadOnBehalfOf)?;
        if route.profile != Profile::Plain && user.is_some_and(|user| user.contains(',')) {
            let message = format!("`{ON_BEHALF_OF}` must be sent once, and have no comma through a gateway");
            return Err(bad(Cause::BadOnBehalfOf, message));
        }
        requirements.on_behalf_of(user)
    }

    fn resource(&self) -> Result<Option<ResourceText<'a>>, BadRequest> {
        let role = self.role.one(ROLE, Cause::BadResource)?;
        let Some(text) = self.resource.one(RESOURCE, Cause::BadResource)? else {
            return match role {
                None => Ok(None),
                Some(_) => Err(bad(Cause::BadResource, format!("`{ROLE}` needs `{RESOURCE}`"))),
            };
        };
        let (category, name) = text.split_once('/').ok_or_else(|| {
            bad(
                Cause::BadResource,
                format!("`{RESOURCE}` must have the form Category/name, such as Process/expense-claims"),
            )
        })?;
        Ok(Some(ResourceText { category, name, role }))
    }

    /// The id that the gateway or client gave the request; empty where it gave none.
    pub(super) fn request_id(&self) -> &'a str {
        self.request_id.first.and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// RFC 9110 section 11.1: the scheme's letters may be of either case.
fn bearer(text: &str) -> Result<&str, Cause> {
    let (scheme, token) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(Cause::OtherScheme) }
}

fn bad(cause: Cause, message: String) -> BadRequest {
    BadRequest { cause, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;
    use proptest::prelude::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn exactly_one_credential_is_read() {
        for (what, pairs, expected) in [
            ("none", vec![], Err(Cause::NoCredential)),
            ("bearer", vec![("authorization", "Bearer abc")], Ok("abc")),
            ("bearer in other letters", vec![("authorization", "bEARER  abc ")], Ok("abc")),
            ("API key", vec![("x-api-key", "abc")], Ok("abc")),
            ("another scheme", vec![("authorization", "Basic abc")], Err(Cause::OtherScheme)),
            ("a bare token", vec![("authorization", "abc")], Err(Cause::OtherScheme)),
            ("an empty bearer", vec![("authorization", "Bearer")], Ok("")),
            ("both", vec![("authorization", "Bearer a"), ("x-api-key", "a")], Err(Cause::SeveralCredentials)),
            (
                "another scheme and a key",
                vec![("authorization", "Basic a"), ("x-api-key", "b")],
                Err(Cause::SeveralCredentials),
            ),
            ("two API keys", vec![("x-api-key", "a"), ("x-api-key", "b")], Err(Cause::SeveralCredentials)),
            (
                "two bearers",
                vec![("authorization", "Bearer a"), ("authorization", "Bearer a")],
                Err(Cause::SeveralCredentials),
            ),
            (
                "two bearers that a gateway joined",
                vec![("authorization", "Bearer a, Bearer a")],
                Err(Cause::SeveralCredentials),
            ),
            (
                "two API keys that a gateway joined",
                vec![("x-api-key", "a,b")],
                Err(Cause::SeveralCredentials),
            ),
            ("one that is empty", vec![("authorization", "Bearer a"), ("x-api-key", "")], Ok("a")),
            ("two that are empty", vec![("authorization", ""), ("x-api-key", "")], Err(Cause::NoCredential)),
        ] {
            assert_eq!(Sent::of(&headers(&pairs)).credential(), expected, "{what}");
        }
    }

    #[test]
    fn only_a_plain_request_may_name_its_resource_in_a_header() {
        let headers = headers(&[("x-keyward-resource", "Process/salaries"), ("x-keyward-role", "Admin")]);
        let sent = Sent::of(&headers);
        let label = |rest: &str| {
            let route = Route::parse(rest).unwrap();
            sent.requirements(&route)
                .unwrap()
                .resource
                .map(|resource| (resource.label(), resource.role.is_some()))
        };
        assert_eq!(label(""), Some(("Process/salaries".into(), true)));
        assert_eq!(label("/for/Process/expenses"), Some(("Process/expenses".into(), false)));
        assert_eq!(label("/nginx"), None);
        assert_eq!(label("/traefik/for/Process/expenses"), Some(("Process/expenses".into(), false)));
    }

    #[test]
    fn requirements_that_cannot_be_meant_are_answered_with_the_reason() {
        let plain = Route::parse("").unwrap();
        for (pairs, message) in [
            (vec![("x-keyward-resource", "Process")], "must have the form Category/name"),
            (vec![("x-keyward-role", "Admin")], "`x-keyward-role` needs `x-keyward-resource`"),
            (vec![("x-keyward-on-behalf-of", "ann"), ("x-keyward-on-behalf-of", "ben")], "must be sent once"),
            (vec![("x-keyward-on-behalf-of", "system:admin")], "must not begin with keyward: or system:"),
        ] {
            let said = Sent::of(&headers(&pairs)).requirements(&plain).unwrap_err().message;
            assert!(said.contains(message), "{said}");
        }
    }

    #[test]
    fn whoever_is_named_twice_is_refused_also_where_a_gateway_joined_the_names() {
        let both = headers(&[("x-keyward-on-behalf-of", "ann,ben")]);
        for (rest, refused) in [("", false), ("/nginx", true), ("/envoy/-", true), ("/caddy", true)] {
            let read = Sent::of(&both).requirements(&Route::parse(rest).unwrap());
            assert_eq!(read.is_err(), refused, "{rest}");
        }
    }

    /// Without a panic, and never with one of two credentials chosen.
    fn are_read(headers: &HeaderMap) {
        let credentials = headers.get_all(AUTHORIZATION).iter().chain(headers.get_all(API_KEY));
        let count = credentials.filter(|value| !value.is_empty()).count();
        let sent = Sent::of(headers);
        let read = sent.credential();
        assert_eq!(read == Err(Cause::NoCredential), count == 0);
        assert!(count <= 1 || read == Err(Cause::SeveralCredentials));
        for rest in ["", "/nginx", "/traefik", "/for/App/x"] {
            let _ = Route::parse(rest).map(|route| sent.requirements(&route).is_ok());
        }
        let _ = sent.request_id();
    }

    proptest! {
        #[test]
        fn no_headers_make_it_panic_and_two_credentials_are_never_chosen_from(
            sent in prop::collection::vec((0usize..6, prop::collection::vec(any::<u8>(), 0..40)), 0..6)
        ) {
            let names = [AUTHORIZATION, API_KEY, ON_BEHALF_OF, RESOURCE, ROLE, REQUEST_ID];
            let mut headers = HeaderMap::new();
            for (name, value) in sent {
                if let Ok(value) = HeaderValue::from_bytes(&value) {
                    headers.append(HeaderName::from_static(names[name]), value);
                }
            }
            are_read(&headers);
        }
    }

    #[test]
    fn fuzzed_headers_are_read_and_two_credentials_are_never_chosen_from() {
        let seed = b"authorization: Bearer kw_a\nx-api-key: kw_b\nx-keyward-resource: App/x\nx-keyward-on-behalf-of: ann";
        crate::fuzz::bytes(&[seed, b"authorization: Bearer kw_a\nx-keyward-role: Admin"], |input| {
            let mut headers = HeaderMap::new();
            for line in input.split(|byte| *byte == b'\n') {
                let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
                let (name, value) = line.split_at(colon);
                let pair = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value[1..].trim_ascii()));
                if let (Ok(name), Ok(value)) = pair {
                    headers.append(name, value);
                }
            }
            are_read(&headers);
        });
    }

    #[test]
    fn fuzzed_paths_are_routes_or_none() {
        crate::fuzz::texts(&["/nginx/for/Process/expense-claims/Member", "/for/App/x", ""], |path| {
            let _ = Route::parse(path).map(|route| route.profile.endpoint());
        });
    }
}
