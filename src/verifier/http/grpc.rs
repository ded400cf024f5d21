//! Envoy's and Istio's external authorization over gRPC: `envoy.service.auth.v3.Authorization/Check`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use envoy_types::ext_authz::v3::pb::{
    Address, Authorization, CheckRequest, CheckResponse, DeniedHttpResponse, HeaderAppendAction, HeaderValue,
    HeaderValueOption, HttpResponse, HttpStatus, OkHttpResponse,
};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName};
use tonic::{Code, Request, Response, Status};

use crate::domain::verdict::ResourceText;
use crate::verifier::check::checker::Checker;
use crate::verifier::check::client::Client;
use crate::verifier::check::endpoint::Endpoint;
use crate::verifier::check::outcome::Allowed;
use crate::verifier::check::request;
use crate::verifier::http::credential::{API_KEY, AUTHORIZATION, ON_BEHALF_OF, Sent};
use crate::verifier::http::identity;
use crate::verifier::http::problem::Problem;
use crate::verifier::http::profile::{Profile, Route};

/// The path of the one method.
pub(super) const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// Where a route's configuration names what it requires.
const CATEGORY: &str = "keyward-category";
const NAME: &str = "keyward-name";
const ROLE: &str = "keyward-role";

/// Who opened the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// Marks the answer to a request that was let in.
#[derive(Clone, Copy, Debug)]
pub(super) struct LetIn;

/// Answers Envoy.
pub(super) struct Authorizer {
    pub(super) checker: Arc<Checker>,
}

/// What Envoy says of a request, as far as it is read.
#[derive(Default)]
struct Described {
    headers: HeaderMap,
    route: HashMap<String, String>,
    request_id: String,
    source: Option<IpAddr>,
}

#[tonic::async_trait]
impl Authorization for Authorizer {
    async fn check(&self, request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
        let described = Described::of(request.into_inner());
        let sent = Sent::of(&described.headers);
        let trusted = &self.checker.trusted_proxies;
        let request = request::Request {
            endpoint: Endpoint::Grpc,
            credential: sent.credential(),
            requirements: sent.requirements(&described.route()),
            client: peer.map_or(Client::Unknown, |peer| trusted.client(peer, || described.source)),
            request_id: &described.request_id,
        };
        match self.checker.check(&request, let_in).await {
            Ok(response) => {
                let mut response = Response::new(response);
                response.extensions_mut().insert(LetIn);
                Ok(response)
            }
            Err(refused) => Ok(Response::new(turned_away(&Problem::of(&refused, Profile::Envoy)))),
        }
    }
}

impl Described {
    fn of(request: CheckRequest) -> Self {
        let Some(attributes) = request.attributes else { return Self::default() };
        let source = attributes.source.and_then(|peer| peer.address).and_then(|address| address.address);
        let http = attributes.request.and_then(|request| request.http).unwrap_or_default();
        // With `encode_raw_headers` they are in the one, each as it was sent, and otherwise in the other.
        let raw = http.header_map.map(|map| map.headers).unwrap_or_default();
        let raw = raw.iter().map(|header| {
            let HeaderValue { key, value, raw_value } = header;
            (key.as_str(), if raw_value.is_empty() { value.as_bytes() } else { raw_value.as_slice() })
        });
        let joined = http.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        Self {
            headers: read(joined.chain(raw)),
            route: attributes.context_extensions,
            request_id: http.id,
            source: source.and_then(ip_address),
        }
    }

    /// What the route's configuration requires. No client chooses it.
    fn route(&self) -> Route<'_> {
        let setting = |name| self.route.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let resource = match (setting(CATEGORY), setting(NAME), setting(ROLE)) {
            (None, None, None) => None,
            (category, name, role) => Some(ResourceText {
                category: category.unwrap_or_default(),
                name: name.unwrap_or_default(),
                role,
            }),
        };
        Route { profile: Profile::Envoy, resource }
    }
}

/// Those of the client's headers that say who asks, and for whom.
fn read<'a>(sent: impl Iterator<Item = (&'a str, &'a [u8])>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in sent {
        let known = [AUTHORIZATION, API_KEY, ON_BEHALF_OF];
        let Some(known) = known.into_iter().find(|known| known.eq_ignore_ascii_case(name)) else { continue };
        // What cannot be a header is none that is good either, and must not be passed over.
        let value = http::HeaderValue::from_bytes(value);
        let value = value.unwrap_or_else(|_| http::HeaderValue::from_static("\t"));
        headers.append(HeaderName::from_static(known), value);
    }
    headers
}

fn ip_address(address: Address) -> Option<IpAddr> {
    match address {
        Address::SocketAddress(socket) => socket.address.parse().ok(),
        Address::Pipe(_) | Address::EnvoyInternalAddress(_) => None,
    }
}

fn set(key: &str, value: &str) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue { key: key.to_owned(), value: value.to_owned(), ..HeaderValue::default() }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        // Otherwise Envoy leaves the client's own header of that name.
        keep_empty_value: true,
        ..HeaderValueOption::default()
    }
}

fn let_in(allowed: &Allowed<'_>) -> CheckResponse {
    let headers =
        identity::pairs(allowed).map(|(name, value)| set(name.as_str(), value.to_str().unwrap_or_default()));
    let ok = OkHttpResponse {
        headers: headers.collect(),
        headers_to_remove: vec!["authorization".into(), API_KEY.into()],
        ..OkHttpResponse::default()
    };
    respond(Code::Ok, HttpResponse::OkResponse(ok))
}

fn turned_away(problem: &Problem) -> CheckResponse {
    let mut headers =
        vec![set(CONTENT_TYPE.as_str(), "application/problem+json"), set(CACHE_CONTROL.as_str(), "no-store")];
    headers.extend(problem.challenge().map(|challenge| set(WWW_AUTHENTICATE.as_str(), challenge)));
    headers.extend(problem.retry_after().map(|seconds| set(RETRY_AFTER.as_str(), seconds)));
    let denied = DeniedHttpResponse {
        status: Some(HttpStatus { code: i32::from(problem.status()) }),
        headers,
        body: serde_json::to_string(problem).unwrap_or_default(),
    };
    respond(Code::PermissionDenied, HttpResponse::DeniedResponse(denied))
}

fn respond(code: Code, response: HttpResponse) -> CheckResponse {
    let status = envoy_types::pb::google::rpc::Status { code: code.into(), ..Default::default() };
    CheckResponse { status: Some(status), http_response: Some(response), ..CheckResponse::default() }
}

#[cfg(test)]
mod tests {
    use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
    use envoy_types::pb::envoy::service::auth::v3::attribute_context::{self, HttpRequest};

    use super::*;
    use crate::domain::verdict::Cause;

    fn message(http: HttpRequest, route: &[(&str, &str)]) -> CheckRequest {
        let route = route.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let request = attribute_context::Request { http: Some(http), ..Default::default() };
        CheckRequest {
            attributes: Some(AttributeContext {
                request: Some(request),
                context_extensions: route.collect(),
                ..AttributeContext::default()
            }),
        }
    }

    /// As Envoy sends headers by default: those of one name joined.
    fn joined(headers: &[(&str, &str)]) -> HttpRequest {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        HttpRequest { headers: headers.collect(), ..HttpRequest::default() }
    }

    /// As it sends them with `encode_raw_headers`.
    fn raw(headers: &[(&str, &str)]) -> HttpRequest {
        let headers = headers.iter().map(|(name, value)| HeaderValue {
            key: (*name).to_owned(),
            raw_value: value.as_bytes().to_vec(),
            ..HeaderValue::default()
        });
        let header_map = envoy_types::pb::envoy::config::core::v3::HeaderMap { headers: headers.collect() };
        HttpRequest { header_map: Some(header_map), ..HttpRequest::default() }
    }

    fn credential(http: HttpRequest) -> Result<String, Cause> {
        let described = Described::of(message(http, &[]));
        Sent::of(&described.headers).credential().map(str::to_owned)
    }

    #[test]
    fn exactly_one_credential_is_read_however_headers_are_sent() {
        for (headers, expected) in [
            (vec![], Err(Cause::NoCredential)),
            (vec![("authorization", "Bearer a")], Ok("a".to_owned())),
            (vec![("x-api-key", "a")], Ok("a".to_owned())),
            (vec![("authorization", "Bearer a"), ("x-api-key", "a")], Err(Cause::SeveralCredentials)),
            (vec![("x-api-key", "a,b")], Err(Cause::SeveralCredentials)),
            (vec![("authorization", "Bearer a,Bearer a")], Err(Cause::SeveralCredentials)),
            (vec![("authorization", "Basic a")], Err(Cause::OtherScheme)),
        ] {
            assert_eq!(credential(joined(&headers)), expected, "{headers:?}");
            assert_eq!(credential(raw(&headers)), expected, "{headers:?}, raw");
        }
        let twice = raw(&[("x-api-key", "a"), ("x-api-key", "a")]);
        assert_eq!(credential(twice), Err(Cause::SeveralCredentials));
    }

    #[test]
    fn nobody_is_acted_for_where_two_are_named_or_none_that_can_be_read() {
        let user = |http| {
            let described = Described::of(message(http, &[]));
            let requirements = Sent::of(&described.headers).requirements(&described.route());
            requirements.map(|requirements| requirements.on_behalf_of.map(|user| user.as_str().to_owned()))
        };
        assert_eq!(user(joined(&[(ON_BEHALF_OF, "ann")])), Ok(Some("ann".to_owned())));
        assert_eq!(user(raw(&[(ON_BEHALF_OF, "ann")])), Ok(Some("ann".to_owned())));
        assert_eq!(user(joined(&[(ON_BEHALF_OF, "")])), Ok(None));
        for bad in [
            joined(&[(ON_BEHALF_OF, "ann,ben")]),
            raw(&[(ON_BEHALF_OF, "ann"), (ON_BEHALF_OF, "ben")]),
            raw(&[(ON_BEHALF_OF, "ann\n")]),
        ] {
            assert_eq!(user(bad).unwrap_err().cause, Cause::BadOnBehalfOf);
        }
    }

    #[test]
    fn the_resource_is_what_the_route_says() {
        let resource = |route: &[(&str, &str)]| {
            let client = joined(&[("x-keyward-resource", "Process/salaries")]);
            let described = Described::of(message(client, route));
            let requirements = Sent::of(&described.headers).requirements(&described.route());
            requirements.map(|requirements| requirements.resource)
        };
        assert_eq!(resource(&[]), Ok(None));
        let expenses = [("keyward-category", "Process"), ("keyward-name", "expenses"), ("keyward-role", "")];
        assert_eq!(resource(&expenses).unwrap().unwrap().label(), "Process/expenses");
        assert!(
            resource(&[("keyward-category", "Process")]).unwrap_err().message.contains("the resource's name")
        );
    }
}
