//! Envoy's and Istio's external authorization over gRPC: `envoy.service.auth.v3.Authorization/Check`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use envoy_types::ext_authz::v3::pb::{
    Address, Authorization, CheckRequest, CheckResponse, DeniedHttpResponse, HeaderAppendAction, HeaderValue,
    HeaderValueOption, HttpResponse, HttpStatus, OkHttpResponse,
};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use tonic::{Code, Request, Response, Status};

use crate::domain::verdict::{BadRequest, Cause, Requirements, ResourceText};
use crate::verifier::check::checker::Checker;
use crate::verifier::check::client::Client;
use crate::verifier::check::endpoint::Endpoint;
use crate::verifier::check::outcome::Allowed;
use crate::verifier::check::request;
use crate::verifier::http::credential::{API_KEY, ON_BEHALF_OF, bearer};
use crate::verifier::http::identity;
use crate::verifier::http::problem::Problem;
use crate::verifier::http::profile::Profile;

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
    headers: HashMap<String, String>,
    route: HashMap<String, String>,
    request_id: String,
    source: Option<IpAddr>,
}

#[tonic::async_trait]
impl Authorization for Authorizer {
    async fn check(&self, request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
        let described = Described::of(request.into_inner());
        let trusted = &self.checker.trusted_proxies;
        let request = request::Request {
            endpoint: Endpoint::Grpc,
            credential: described.credential(),
            requirements: described.requirements(),
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
        Self {
            headers: http.headers,
            route: attributes.context_extensions,
            request_id: http.id,
            source: source.and_then(ip_address),
        }
    }

    /// Envoy joins what is sent twice by a comma, which no token has.
    fn credential(&self) -> Result<&str, Cause> {
        match (self.headers.get("authorization"), self.headers.get(API_KEY)) {
            (None, None) => Err(Cause::NoCredential),
            (Some(_), Some(_)) => Err(Cause::SeveralCredentials),
            (Some(one), None) | (None, Some(one)) if one.contains(',') => Err(Cause::SeveralCredentials),
            (Some(authorization), None) => bearer(authorization),
            (None, Some(key)) => Ok(key.trim()),
        }
    }

    fn requirements(&self) -> Result<Requirements, BadRequest> {
        let setting = |name| self.route.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let resource = match (setting(CATEGORY), setting(NAME), setting(ROLE)) {
            (None, None, None) => None,
            (category, name, role) => Some(ResourceText {
                category: category.unwrap_or_default(),
                name: name.unwrap_or_default(),
                role,
            }),
        };
        let user = self.headers.get(ON_BEHALF_OF).map(String::as_str).filter(|name| !name.is_empty());
        Requirements::for_resource(resource)?.on_behalf_of(user)
    }
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
    use super::*;

    fn described(headers: &[(&str, &str)], route: &[(&str, &str)]) -> Described {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        Described { headers: map(headers), route: map(route), ..Described::default() }
    }

    #[test]
    fn exactly_one_credential_is_read() {
        for (headers, expected) in [
            (vec![], Err(Cause::NoCredential)),
            (vec![("authorization", "Bearer a")], Ok("a")),
            (vec![("x-api-key", "a")], Ok("a")),
            (vec![("authorization", "Bearer a"), ("x-api-key", "a")], Err(Cause::SeveralCredentials)),
            (vec![("x-api-key", "a,b")], Err(Cause::SeveralCredentials)),
            (vec![("authorization", "Bearer a,Bearer a")], Err(Cause::SeveralCredentials)),
            (vec![("authorization", "Basic a")], Err(Cause::OtherScheme)),
        ] {
            assert_eq!(described(&headers, &[]).credential(), expected, "{headers:?}");
        }
    }

    #[test]
    fn the_resource_is_what_the_route_says() {
        let client = [("x-keyward-resource", "Process/salaries")];
        let resource = |route: &[(&str, &str)]| {
            described(&client, route).requirements().map(|requirements| requirements.resource)
        };
        assert_eq!(resource(&[]), Ok(None));
        let expenses = [("keyward-category", "Process"), ("keyward-name", "expenses"), ("keyward-role", "")];
        assert_eq!(resource(&expenses).unwrap().unwrap().label(), "Process/expenses");
        assert!(
            resource(&[("keyward-category", "Process")]).unwrap_err().message.contains("the resource's name")
        );
    }
}
