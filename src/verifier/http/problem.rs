//! Answers that say what is wrong, as RFC 9457 problem details.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::verdict::Class;
use crate::verifier::check::outcome::Refused;
use crate::verifier::http::profile::Profile;

/// Every `code` of a problem.
const CODES: [&str; 7] = [
    "missing_credential",
    "invalid_request",
    "invalid_token",
    "insufficient_scope",
    "too_many_failures",
    "unavailable",
    "not_found",
];

/// What is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// Always `about:blank`: the status and the code say it all.
    #[serde(rename = "type")]
    type_: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What exactly, for people.
    pub(super) detail: String,
    /// The same as one word.
    #[schemars(extend("enum" = CODES))]
    code: &'static str,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: String) -> Self {
        let title = status.canonical_reason().unwrap_or_default();
        Self { type_: "about:blank", title, status: status.as_u16(), detail, code }
    }

    /// The request is not as it must be.
    pub(super) fn bad(status: StatusCode, detail: String) -> Self {
        Self::new(status, "invalid_request", detail)
    }

    pub(super) fn overloaded() -> Self {
        let detail = "too much is held for other requests; this one is not looked at";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code(Class::Unavailable), detail.into())
    }

    pub(super) fn not_found() -> Self {
        let paths = "/auth, /v1/verify, /tokenreview, /openapi.json";
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is nothing here; what there is: {paths}"),
        )
    }

    pub(super) fn method() -> Self {
        Self::bad(StatusCode::METHOD_NOT_ALLOWED, "the method must be POST, and GET for /openapi.json".into())
    }

    /// What a client is answered: one thing for every bad token.
    pub(super) fn of(refused: &Refused, profile: Profile) -> Self {
        let class = refused.cause.class();
        let text = refused.message.clone().unwrap_or_else(|| detail(class).to_owned());
        Self::new(status(class, profile), code(class), text)
    }

    /// The answer.
    pub(super) fn answer(&self) -> Response<Full<Bytes>> {
        let body = serde_json::to_vec(self).unwrap_or_default();
        let mut answer = Response::new(Full::from(body));
        if let Ok(status) = StatusCode::from_u16(self.status) {
            *answer.status_mut() = status;
        }
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED.as_u16() {
            headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
        }
        answer
    }

    /// RFC 6750 section 3: what to send instead, and what was wrong.
    pub(super) fn challenge(&self) -> Option<&'static str> {
        Some(match (self.status, self.code) {
            (401, "missing_credential") => r#"Bearer realm="keyward""#,
            (401, "invalid_request") => r#"Bearer realm="keyward", error="invalid_request""#,
            (401, _) => r#"Bearer realm="keyward", error="invalid_token""#,
            (403, "insufficient_scope") => r#"Bearer realm="keyward", error="insufficient_scope""#,
            _ => return None,
        })
    }

    /// After how many seconds it makes sense to try again, where it does.
    pub(super) fn retry_after(&self) -> Option<&'static str> {
        matches!(self.code, "unavailable" | "too_many_failures").then_some("1")
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }
}

/// nginx lets no other refusals through than 401 and 403, and makes 500 of the rest.
pub(super) fn status(class: Class, profile: Profile) -> StatusCode {
    match class {
        Class::NoCredential | Class::InvalidRequest | Class::InvalidToken => StatusCode::UNAUTHORIZED,
        Class::InsufficientScope => StatusCode::FORBIDDEN,
        Class::TooManyFailures if profile == Profile::Nginx => StatusCode::FORBIDDEN,
        Class::TooManyFailures => StatusCode::TOO_MANY_REQUESTS,
        Class::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The class as one word.
pub(super) fn code(class: Class) -> &'static str {
    match class {
        Class::NoCredential => "missing_credential",
        Class::InvalidRequest => "invalid_request",
        Class::InvalidToken => "invalid_token",
        Class::InsufficientScope => "insufficient_scope",
        Class::TooManyFailures => "too_many_failures",
        Class::Unavailable => "unavailable",
    }
}

/// What every client of that class is answered.
pub(super) fn detail(class: Class) -> &'static str {
    match class {
        Class::NoCredential => "send an access key as `Authorization: Bearer …` or as `X-API-Key: …`",
        Class::InvalidRequest => "send one credential only, in one header",
        Class::InvalidToken => "the access key is not valid",
        Class::InsufficientScope => "the access key does not allow this",
        Class::TooManyFailures => "too many requests of this address failed",
        Class::Unavailable => "the verifier cannot tell which access keys are valid at the moment",
    }
}

/// A JSON answer that no cache may keep.
pub(super) fn json(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
