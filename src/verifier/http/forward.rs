//! `/auth`: the question that gateways ask before they pass a request on. Yes is exactly 200.

use std::net::IpAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::verifier::check::checker;
use crate::verifier::http::Endpoints;
use crate::verifier::http::answer::identify;
use crate::verifier::http::credential::Sent;
use crate::verifier::http::problem::Problem;
use crate::verifier::http::profile::Route;

impl Endpoints {
    /// Answers; `rest` is what follows `/auth` in the URL.
    pub(super) async fn forward(
        &self,
        request: &Request<Incoming>,
        rest: &str,
        peer: IpAddr,
    ) -> Response<Full<Bytes>> {
        let Some(route) = Route::parse(rest) else { return Problem::not_found().answer() };
        let headers = request.headers();
        let sent = Sent::of(headers);
        let profile = route.profile;
        let client = self.throttle.client(peer, || profile.client(headers));
        let asks = checker::Request {
            endpoint: profile.endpoint(),
            credential: sent.credential(),
            asked: sent.asked(route),
            client: Some(client),
            request_id: sent.request_id(),
        };
        match self.checker.check(&asks, identify) {
            Ok(headers) => {
                let mut answer = Response::new(Full::default());
                *answer.headers_mut() = headers;
                answer
            }
            Err(refused) => {
                let refused = Box::pin(self.throttle.slow_down(client, refused)).await;
                Problem::of(&refused, profile).answer()
            }
        }
    }
}
