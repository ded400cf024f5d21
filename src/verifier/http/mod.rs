//! The endpoints: which request goes where.

mod answer;
mod credential;
mod forward;
mod grpc;
pub mod openapi;
mod problem;
mod profile;
mod token_review;
pub mod told;
mod verify;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use envoy_types::ext_authz::v3::pb::AuthorizationServer;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full, Limited};
use hyper::body::Incoming;
use tower_service::Service as _;

use crate::verifier::check::checker::Checker;
use crate::verifier::check::throttle::Throttle;
use problem::{Problem, json};
pub use verify::{VerifyRequest, VerifyResource, VerifyResponse};

/// The body of every answer: whole, or gRPC's.
pub type Body = Either<Full<Bytes>, tonic::body::Body>;

/// The longest body of a request, in bytes. A token review is the largest, and has 2 kB.
const LONGEST_BODY: usize = 64 * 1024;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers requests.
pub struct Endpoints {
    checker: Arc<Checker>,
    throttle: Arc<Throttle>,
    grpc: AuthorizationServer<grpc::Authorizer>,
    openapi: Bytes,
}

impl Endpoints {
    /// Endpoints that ask `checker`, and slow down who fails too often.
    pub fn new(checker: Arc<Checker>, throttle: Arc<Throttle>) -> Self {
        let authorizer = grpc::Authorizer { checker: Arc::clone(&checker), throttle: Arc::clone(&throttle) };
        let grpc = AuthorizationServer::new(authorizer).max_decoding_message_size(LONGEST_BODY);
        Self { checker, throttle, grpc, openapi: Bytes::from(openapi::document().to_string()) }
    }

    /// The answer to a request of `peer`.
    pub async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
        let path = request.uri().path();
        if let Some(rest) = path.strip_prefix("/auth")
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return self.forward(&request, rest, peer).await.map(Either::Left);
        }
        // In boxes, so that the way of a gateway's question, which is the one that must be short, carries no room for them.
        match (request.method(), path) {
            (&Method::POST, "/v1/verify") => Box::pin(self.verify(request, peer)).await.map(Either::Left),
            (&Method::POST, "/tokenreview") => {
                Box::pin(self.token_review(request, peer)).await.map(Either::Left)
            }
            (&Method::POST, grpc::CHECK) => Box::pin(self.grpc(request, peer)).await,
            (&Method::GET, "/openapi.json") => json(StatusCode::OK, self.openapi.clone()).map(Either::Left),
            (_, "/v1/verify" | "/tokenreview" | grpc::CHECK | "/openapi.json") => {
                Problem::method().answer().map(Either::Left)
            }
            _ => Problem::not_found().answer().map(Either::Left),
        }
    }

    async fn grpc(&self, mut request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
        request.extensions_mut().insert(grpc::Peer(peer));
        // A clone is cheap, and calling needs one of its own.
        let Ok(answer) = self.grpc.clone().call(request).await;
        answer.map(Either::Right)
    }
}

/// The whole body of a request, within bounds.
///
/// # Errors
/// Where it is too long, too slow, or breaks off.
async fn body_of(request: Request<Incoming>) -> Result<Bytes, Problem> {
    let whole = Limited::new(request.into_body(), LONGEST_BODY).collect();
    match tokio::time::timeout(BODY_TIMEOUT, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(Problem::bad(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body may have at most {LONGEST_BODY} bytes"),
        )),
        Ok(Err(_)) => Err(Problem::bad(StatusCode::BAD_REQUEST, "the body broke off".into())),
        Err(_) => Err(Problem::bad(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body must arrive within {} seconds", BODY_TIMEOUT.as_secs()),
        )),
    }
}
