//! The gateways that `/auth` knows: each says some things in headers of its own, and leaves others to the
//! client.

use std::net::IpAddr;

use http::HeaderMap;

use crate::domain::verdict::ResourceText;
use crate::verifier::check::endpoint::Endpoint;

/// A kind of gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    /// None in particular: an application, or a gateway that passes nothing of the client's by itself.
    Plain,
    /// nginx with `auth_request`.
    Nginx,
    /// Traefik with `forwardAuth`.
    Traefik,
    /// Caddy with `forward_auth`.
    Caddy,
    /// Envoy with `ext_authz` over HTTP.
    Envoy,
}

/// What the URL says: the profile, and the resource that the gateway's configuration requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route<'a> {
    pub(super) profile: Profile,
    pub(super) resource: Option<ResourceText<'a>>,
}

impl Profile {
    /// Those that a URL names.
    pub(super) const NAMED: [(&'static str, Self); 4] =
        [("nginx", Self::Nginx), ("traefik", Self::Traefik), ("caddy", Self::Caddy), ("envoy", Self::Envoy)];

    pub(super) fn endpoint(self) -> Endpoint {
        match self {
            Self::Plain => Endpoint::Auth,
            Self::Nginx => Endpoint::Nginx,
            Self::Traefik => Endpoint::Traefik,
            Self::Caddy => Endpoint::Caddy,
            Self::Envoy => Endpoint::Envoy,
        }
    }

    /// The address of the client, as the gateway gives it. Only to be believed of a gateway that is trusted.
    pub(super) fn client(self, headers: &HeaderMap) -> Option<IpAddr> {
        let (header, of_several) = match self {
            Self::Plain => return None,
            // Envoy adds an address of its own to the other.
            Self::Nginx | Self::Envoy => ("x-real-ip", false),
            Self::Traefik | Self::Caddy => ("x-forwarded-for", true),
        };
        let text = headers.get_all(header).iter().next_back()?.to_str().ok()?;
        // The last one is the gateway's own peer.
        let last = if of_several { text.rsplit(',').next()? } else { text };
        last.trim().parse().ok()
    }
}

impl<'a> Route<'a> {
    /// Reads what follows `/auth` in a URL; `None` where that is not one of the forms.
    pub(super) fn parse(rest: &'a str) -> Option<Self> {
        let mut rest = rest;
        let mut profile = Profile::Plain;
        for (name, named) in Profile::NAMED {
            if let Some(after) = segment(rest, name) {
                (profile, rest) = (named, after);
            }
        }
        let mut resource = None;
        if let Some(after) = segment(rest, "for") {
            let (words, after) = words(after, 3);
            rest = after;
            resource = Some(match words.as_slice() {
                [category, name] => ResourceText { category, name, role: None },
                [category, name, role] => ResourceText { category, name, role: Some(role) },
                _ => return None,
            });
        }
        // Behind this comes the client's own path, so that none of it can be taken for the configuration.
        let ends =
            if profile == Profile::Envoy { segment(rest, "-").is_some() } else { matches!(rest, "" | "/") };
        ends.then_some(Self { profile, resource })
    }
}

/// What follows the path segment `name`.
fn segment<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let rest = path.strip_prefix('/')?.strip_prefix(name)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Up to `most` path segments, before one that is `-`, and what follows them.
fn words(path: &str, most: usize) -> (Vec<&str>, &str) {
    let mut words = Vec::new();
    let mut rest = path;
    while words.len() < most {
        let Some(after) = rest.strip_prefix('/') else { break };
        let end = after.find('/').unwrap_or(after.len());
        let (word, behind) = after.split_at(end);
        if word.is_empty() || word == "-" {
            break;
        }
        words.push(word);
        rest = behind;
    }
    (words, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Requirements;
    use proptest::prelude::*;

    #[test]
    fn the_url_names_the_gateway_and_the_resource() {
        let label = |route: &Route<'_>| {
            let required = Requirements::for_resource(route.resource).ok()?.resource?;
            Some((required.label(), required.role.map(crate::api::resource_grant::Role::as_str)))
        };
        let expenses = |role| Some(("Process/expenses".to_owned(), role));
        for (rest, profile, resource) in [
            ("", Profile::Plain, None),
            ("/", Profile::Plain, None),
            ("/nginx", Profile::Nginx, None),
            ("/for/Process/expenses", Profile::Plain, expenses(None)),
            ("/caddy/for/Process/expenses/Member", Profile::Caddy, expenses(Some("Member"))),
            ("/envoy/-/v1/things", Profile::Envoy, None),
            ("/envoy/-", Profile::Envoy, None),
            ("/envoy/for/Process/expenses/-/for/Process/salaries", Profile::Envoy, expenses(None)),
            ("/envoy/for/Process/expenses/Admin/-/x", Profile::Envoy, expenses(Some("Admin"))),
        ] {
            let route = Route::parse(rest).unwrap_or_else(|| panic!("{rest} is a route"));
            assert_eq!((route.profile, label(&route)), (profile, resource), "{rest}");
        }
    }

    #[test]
    fn another_url_is_no_route() {
        for rest in [
            "/nginxx",
            "/haproxy",
            "/for",
            "/for/Process",
            "/for/Process/expenses/Member/more",
            "/nginx/more",
            "/envoy",
            "/envoy/v1/things",
            "/envoy/for/Process/expenses",
            "/envoy/for/-/x",
            "//",
        ] {
            assert_eq!(Route::parse(rest), None, "{rest}");
        }
    }

    #[test]
    fn a_resource_that_cannot_exist_is_named() {
        let route = Route::parse("/nginx/for/Proces/expenses").unwrap();
        let refused = Requirements::for_resource(route.resource).unwrap_err();
        assert!(refused.message.contains("'Proces'"));
    }

    #[test]
    fn each_gateway_is_believed_in_its_own_header_only() {
        let headers = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
            let pairs = pairs.iter();
            pairs.map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
        };
        let both = headers(&[("x-real-ip", "192.0.2.1"), ("x-forwarded-for", "203.0.113.9, 192.0.2.2")]);
        for (profile, address) in [
            (Profile::Plain, None),
            (Profile::Nginx, Some("192.0.2.1")),
            (Profile::Traefik, Some("192.0.2.2")),
            (Profile::Caddy, Some("192.0.2.2")),
            (Profile::Envoy, Some("192.0.2.1")),
        ] {
            assert_eq!(profile.client(&both), address.map(|text| text.parse().unwrap()), "{profile:?}");
        }
        assert_eq!(Profile::Nginx.client(&headers(&[("x-real-ip", "nobody")])), None);
    }

    proptest! {
        #[test]
        fn no_url_makes_it_panic_and_envoys_clients_choose_nothing(path in "(/[A-Za-z.%-]{0,9}){0,6}") {
            let _ = Route::parse(&path);
            let configured = Route::parse("/envoy/for/Process/expenses/-");
            let with_path = format!("/envoy/for/Process/expenses/-{path}");
            prop_assert_eq!(Route::parse(&with_path), configured);
        }
    }
}
