//! Answers applications.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::domain::verdict::Class;
use crate::runtime::server::Caller;
use crate::verifier::check::checker::Checker;
use crate::verifier::check::endpoint::Endpoint;
use crate::verifier::check::outcome::{Allowed, Refused};
use crate::verifier::check::request;
use crate::verifier::http::body;
use crate::verifier::http::identity::{expires_at, resource};
use crate::verifier::http::problem::{Problem, code, detail, json};
use crate::verifier::http::profile::Profile;
use crate::verifier::http::verify::reader::{Question, read};
use crate::verifier::http::verify::types::VerifyResponse;

/// The answer to a request of `caller`.
pub(in crate::verifier::http) async fn answer(
    checker: &Checker,
    request: Request<Incoming>,
    caller: &Caller,
) -> Response<Full<Bytes>> {
    let question =
        match body::whole(request.into_body(), body::LONGEST, caller).await.and_then(|body| read(&body)) {
            Ok(question) => question,
            Err(problem) => return problem.answer(),
        };
    let Question { token, requirements, request_id } = question;
    let request = request::Request {
        endpoint: Endpoint::Verify,
        credential: Ok(&token),
        requirements: Ok(requirements),
        client: checker.trusted_proxies.application(caller.address()),
        request_id: &request_id,
    };
    let response = match checker.check(&request, valid).await {
        Ok(response) => {
            caller.trust();
            response
        }
        Err(refused) => match refused.cause.class() {
            Class::Unavailable | Class::TooManyFailures => {
                return Problem::of(&refused, Profile::Plain).answer();
            }
            Class::NoCredential | Class::InvalidRequest | Class::InvalidToken | Class::InsufficientScope => {
                invalid(refused)
            }
        },
    };
    json(StatusCode::OK, serde_json::to_vec(&response).unwrap_or_default().into())
}

fn valid(allowed: &Allowed<'_>) -> VerifyResponse {
    let holder = &allowed.entry.key.holder;
    VerifyResponse {
        valid: true,
        code: None,
        message: None,
        subject: Some(allowed.subject().to_owned()),
        actor: Some(holder.actor.to_string()),
        account: Some(holder.account.to_string()),
        service_account: Some(holder.name.to_string()),
        key_id: Some(allowed.id.as_str().to_owned()),
        expires_at: Some(expires_at(allowed)),
        resource: resource(allowed),
        role: allowed.role,
        on_behalf_of: allowed.requirements.on_behalf_of.as_ref().map(|user| user.as_str().to_owned()),
    }
}

fn invalid(refused: Refused) -> VerifyResponse {
    let class = refused.cause.class();
    let message = refused.message.unwrap_or_else(|| detail(class).to_owned());
    VerifyResponse {
        valid: false,
        code: Some(code(class).to_owned()),
        message: Some(message),
        ..VerifyResponse::default()
    }
}
