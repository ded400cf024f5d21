//! Which request goes to which endpoint.

use std::sync::Arc;

use bytes::Bytes;
use envoy_types::ext_authz::v3::pb::AuthorizationServer;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use tower_service::Service as _;

use crate::runtime::server::{Answers, Caller};
use crate::verifier::check::checker::Checker;
use crate::verifier::http::body::{self, Body, LONGEST_MESSAGE};
use crate::verifier::http::problem::{Problem, json};
use crate::verifier::http::{forward, grpc, openapi, token_review, verify};

/// Answers requests.
pub struct Endpoints {
    checker: Arc<Checker>,
    grpc: AuthorizationServer<grpc::Authorizer>,
    openapi: Bytes,
}

impl Endpoints {
    /// Endpoints that ask `checker`.
    pub fn new(checker: Arc<Checker>) -> Self {
        let authorizer = grpc::Authorizer { checker: Arc::clone(&checker) };
        let grpc = AuthorizationServer::new(authorizer).max_decoding_message_size(LONGEST_MESSAGE);
        Self { checker, grpc, openapi: Bytes::from(openapi::document().to_string()) }
    }

    async fn route(&self, request: Request<Incoming>, caller: &Caller) -> Response<Body> {
        let path = request.uri().path();
        if let Some(rest) = path.strip_prefix("/auth")
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return forward::answer(&self.checker, &request, rest, caller).await.map(Either::Left);
        }
        let checker = &self.checker;
        // In boxes, so that the way of a gateway's request, which is the one that must be short, carries no
        // room for them.
        match (request.method(), path) {
            (&Method::POST, "/v1/verify") => {
                Box::pin(verify::answer(checker, request, caller)).await.map(Either::Left)
            }
            (&Method::POST, "/tokenreview") => {
                Box::pin(token_review::answer(checker, request, caller)).await.map(Either::Left)
            }
            (&Method::POST, grpc::CHECK) => Box::pin(self.grpc(request, caller)).await,
            (&Method::GET, "/openapi.json") => json(StatusCode::OK, self.openapi.clone()).map(Either::Left),
            (_, "/v1/verify" | "/tokenreview" | grpc::CHECK | "/openapi.json") => {
                Problem::method().answer().map(Either::Left)
            }
            _ => Problem::not_found().answer().map(Either::Left),
        }
    }

    async fn grpc(&self, request: Request<Incoming>, caller: &Caller) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = match body::whole(body, LONGEST_MESSAGE, caller).await {
            Ok(body) => body,
            Err(problem) => return problem.answer().map(Either::Left),
        };
        // It is copied when it is decoded.
        if !caller.hold(body.len()) {
            return Problem::overloaded().answer().map(Either::Left);
        }
        let mut request = Request::from_parts(head, Full::new(Bytes::from_owner(body)));
        request.extensions_mut().insert(grpc::Peer(caller.address()));
        // A clone is cheap, and calling needs one of its own.
        let Ok(mut answer) = self.grpc.clone().call(request).await;
        if answer.extensions_mut().remove::<grpc::LetIn>().is_some() {
            caller.trust();
        }
        answer.map(Either::Right)
    }
}

impl Answers for Endpoints {
    type Body = Body;

    async fn answer(&self, request: Request<Incoming>, caller: &Caller) -> Response<Body> {
        self.route(request, caller).await
    }

    fn overloaded(&self) -> Response<Body> {
        Problem::overloaded().answer().map(Either::Left)
    }
}
