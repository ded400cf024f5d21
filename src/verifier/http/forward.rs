//! `/auth`: for gateways, before they pass a request on. Let in is exactly 200.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::runtime::server::Caller;
use crate::verifier::check::checker::Checker;
use crate::verifier::check::request;
use crate::verifier::http::credential::Sent;
use crate::verifier::http::identity;
use crate::verifier::http::problem::Problem;
use crate::verifier::http::profile::Route;

/// Answers; `rest` is what follows `/auth` in the URL.
pub(super) async fn answer(
    checker: &Checker,
    request: &Request<Incoming>,
    rest: &str,
    caller: &Caller,
) -> Response<Full<Bytes>> {
    let Some(route) = Route::parse(rest) else { return Problem::not_found().answer() };
    let headers = request.headers();
    let sent = Sent::of(headers);
    let profile = route.profile;
    let request = request::Request {
        endpoint: profile.endpoint(),
        credential: sent.credential(),
        requirements: sent.requirements(&route),
        client: checker.trusted_proxies.client(caller.address(), || profile.client(headers)),
        request_id: sent.request_id(),
    };
    match checker.check(&request, identity::headers).await {
        Ok(headers) => {
            caller.trust();
            let mut answer = Response::new(Full::default());
            *answer.headers_mut() = headers;
            answer
        }
        Err(refused) => Problem::of(&refused, profile).answer(),
    }
}
