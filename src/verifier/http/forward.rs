//! `/auth`: the question that gateways ask before they pass a request on. Yes is exactly 200.

use std::net::IpAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;

use super::Endpoints;
use super::answer::identify;
use super::credential::{asked, credential, request_id};
use super::problem::Problem;
use super::profile::Route;
use crate::verifier::check;

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
        let profile = route.profile;
        let client = self.throttle.client(peer, || profile.client(headers));
        let checked = self.checker.check(check::Request {
            endpoint: profile.endpoint(),
            credential: credential(headers),
            asked: asked(route, headers),
            client: Some(client),
            request_id: request_id(headers),
        });
        match checked {
            Ok(allowed) => {
                let mut answer = Response::new(Full::default());
                identify(answer.headers_mut(), &allowed);
                answer
            }
            Err(refused) => {
                let refused = self.throttle.slow_down(client, refused).await;
                Problem::of(&refused, profile).answer()
            }
        }
    }
}
