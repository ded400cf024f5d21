//! The credential and the wishes in a request's headers. What is sent twice is refused rather than chosen from.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};

use super::profile::{Profile, Route};
use crate::domain::verdict::{Asked, BadRequest, Cause, OnBehalfOf, ResourceAsked};

// Names that are read already, so that looking one up takes none apart.
pub(super) static API_KEY: HeaderName = HeaderName::from_static("x-api-key");
pub(super) static ON_BEHALF_OF: HeaderName = HeaderName::from_static("x-keyward-on-behalf-of");
pub(super) static RESOURCE: HeaderName = HeaderName::from_static("x-keyward-resource");
pub(super) static ROLE: HeaderName = HeaderName::from_static("x-keyward-role");
pub(super) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The one credential: `Authorization: Bearer` or `X-API-Key`.
///
/// # Errors
/// Where there is none, or more than one of any kind.
pub(super) fn credential(headers: &HeaderMap) -> Result<&str, Cause> {
    let mut all = headers.get_all(AUTHORIZATION).iter().map(|value| (true, value));
    let mut keys = headers.get_all(&API_KEY).iter().map(|value| (false, value));
    let first = all.next().or_else(|| keys.next()).ok_or(Cause::NoCredential)?;
    if all.next().is_some() || keys.next().is_some() {
        return Err(Cause::SeveralCredentials);
    }
    let (is_authorization, value) = first;
    let text = value.to_str().map_err(|_| Cause::Malformed)?;
    if is_authorization { bearer(text) } else { Ok(text.trim()) }
}

/// RFC 9110 section 11.1: the scheme's letters may be of either case.
pub(super) fn bearer(text: &str) -> Result<&str, Cause> {
    let (scheme, token) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(Cause::OtherScheme) }
}

/// What the request asks for. The resource is what the URL says; only a plain request may name it in a header.
///
/// # Errors
/// Where that cannot be meant.
pub(super) fn asked(route: Route, headers: &HeaderMap) -> Result<Asked, BadRequest> {
    let resource = match route.resource {
        Some(resource) => Some(resource?),
        None if route.profile == Profile::Plain => resource(headers)?,
        None => None,
    };
    let on_behalf_of =
        one(headers, &ON_BEHALF_OF, Cause::BadOnBehalfOf)?.map(OnBehalfOf::parse).transpose()?;
    Ok(Asked { resource, on_behalf_of })
}

fn resource(headers: &HeaderMap) -> Result<Option<ResourceAsked>, BadRequest> {
    let role = one(headers, &ROLE, Cause::BadResource)?;
    let Some(text) = one(headers, &RESOURCE, Cause::BadResource)? else {
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
    ResourceAsked::parse(category, name, role).map(Some)
}

/// The header's one value, where there is one.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName, cause: Cause) -> Result<Option<&'a str>, BadRequest> {
    let mut values = headers.get_all(name).iter().filter(|value| !value.is_empty());
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(bad(cause, format!("`{name}` must be sent once")));
    }
    value.to_str().map(Some).map_err(|_| bad(cause, format!("`{name}` must be visible ASCII")))
}

fn bad(cause: Cause, message: String) -> BadRequest {
    BadRequest { cause, message }
}

/// The id that the gateway or client gave the request.
pub(super) fn request_id(headers: &HeaderMap) -> &str {
    headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
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
                "one that is empty",
                vec![("authorization", "Bearer a"), ("x-api-key", "")],
                Err(Cause::SeveralCredentials),
            ),
        ] {
            assert_eq!(credential(&headers(&pairs)), expected, "{what}");
        }
    }

    #[test]
    fn only_a_plain_request_may_name_its_resource_in_a_header() {
        let sent = headers(&[("x-keyward-resource", "Process/salaries"), ("x-keyward-role", "Admin")]);
        let label = |rest: &str| {
            let route = Route::parse(rest).unwrap();
            asked(route, &sent).unwrap().resource.map(|resource| (resource.label(), resource.role.is_some()))
        };
        assert_eq!(label(""), Some(("Process/salaries".into(), true)));
        assert_eq!(label("/for/Process/expenses"), Some(("Process/expenses".into(), false)));
        assert_eq!(label("/nginx"), None);
        assert_eq!(label("/traefik/for/Process/expenses"), Some(("Process/expenses".into(), false)));
    }

    #[test]
    fn wishes_that_cannot_be_meant_are_told() {
        let plain = Route::parse("").unwrap();
        for (pairs, message) in [
            (vec![("x-keyward-resource", "Process")], "must have the form Category/name"),
            (vec![("x-keyward-role", "Admin")], "`x-keyward-role` needs `x-keyward-resource`"),
            (vec![("x-keyward-on-behalf-of", "ann"), ("x-keyward-on-behalf-of", "ben")], "must be sent once"),
            (vec![("x-keyward-on-behalf-of", "system:admin")], "must not begin with keyward: or system:"),
        ] {
            let said = asked(plain.clone(), &headers(&pairs)).unwrap_err().message;
            assert!(said.contains(message), "{said}");
        }
    }

    proptest! {
        #[test]
        fn no_headers_make_it_panic_and_two_credentials_are_never_chosen_from(
            sent in prop::collection::vec((0usize..6, prop::collection::vec(any::<u8>(), 0..40)), 0..6)
        ) {
            let names = [&AUTHORIZATION, &API_KEY, &ON_BEHALF_OF, &RESOURCE, &ROLE, &REQUEST_ID];
            let mut headers = HeaderMap::new();
            for (name, value) in sent {
                if let Ok(value) = HeaderValue::from_bytes(&value) {
                    headers.append(names[name], value);
                }
            }
            let sent = headers.get_all("authorization").iter().count() + headers.get_all(&API_KEY).iter().count();
            let read = credential(&headers);
            prop_assert_eq!(read == Err(Cause::NoCredential), sent == 0);
            prop_assert_eq!(read == Err(Cause::SeveralCredentials), sent > 1);
            for rest in ["", "/nginx", "/for/App/x"] {
                let _ = asked(Route::parse(rest).unwrap(), &headers);
            }
            let _ = request_id(&headers);
        }
    }
}
