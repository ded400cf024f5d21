//! `POST /tokenreview`: the kube-apiserver's webhook token authentication, of which a key is one more kind of
//! token.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use k8s_openapi::api::authentication::v1::{TokenReviewStatus, UserInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::verdict::{Class, Requirements};
use crate::runtime::server::Caller;
use crate::verifier::check::checker::Checker;
use crate::verifier::check::client::Client;
use crate::verifier::check::endpoint::Endpoint;
use crate::verifier::check::outcome::{Allowed, Refused};
use crate::verifier::check::request;
use crate::verifier::http::body;
use crate::verifier::http::problem::{Problem, detail, json};
use crate::verifier::http::profile::Profile;

/// The group of every service account.
const GROUP: &str = "keyward:serviceaccounts";
/// Under which the API server's audit log has the token's id.
const KEY_ID: &str = "iam.keyward.dev/key-id";
const KIND: &str = "TokenReview";
/// Both have the same fields; which one is sent is the API server's setting.
const VERSIONS: [&str; 2] = ["authentication.k8s.io/v1", "authentication.k8s.io/v1beta1"];

/// A token that the API server asks about. What else it sends is not read.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TokenReviewRequest")]
pub(super) struct Review {
    #[schemars(extend("enum" = VERSIONS))]
    api_version: String,
    #[schemars(extend("const" = KIND))]
    kind: String,
    spec: Spec,
}

/// What is asked.
#[derive(Deserialize, JsonSchema, Zeroize, ZeroizeOnDrop)]
#[schemars(rename = "TokenReviewSpec")]
struct Spec {
    /// The token.
    #[serde(default)]
    token: String,
}

/// The same review with its answer.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TokenReviewResponse")]
pub(super) struct Reviewed {
    /// As in the request.
    #[schemars(extend("enum" = VERSIONS))]
    api_version: String,
    #[schemars(extend("const" = KIND))]
    kind: &'static str,
    status: TokenReviewStatus,
}

/// The answer to a request of `caller`, which asks for others.
pub(super) async fn answer(
    checker: &Checker,
    request: Request<Incoming>,
    caller: &Caller,
) -> Response<Full<Bytes>> {
    let review =
        match body::whole(request.into_body(), body::LONGEST, caller).await.and_then(|body| review(&body)) {
            Ok(review) => review,
            Err(problem) => return problem.answer(),
        };
    let request = request::Request {
        endpoint: Endpoint::TokenReview,
        credential: Ok(&review.spec.token),
        requirements: Ok(Requirements::default()),
        client: Client::Relay(caller.address()),
        request_id: "",
    };
    let status = match checker.check(&request, authenticated).await {
        Ok(status) => {
            caller.trust();
            status
        }
        // The API server asks again after such an answer, and another verifier may know.
        Err(refused) if refused.cause.class() == Class::Unavailable => {
            return Problem::of(&refused, Profile::Plain).answer();
        }
        Err(refused) => not_authenticated(&refused),
    };
    let reviewed = Reviewed { api_version: review.api_version, kind: KIND, status };
    json(StatusCode::OK, serde_json::to_vec(&reviewed).unwrap_or_default().into())
}

fn review(body: &[u8]) -> Result<Review, Problem> {
    let bad = |detail| Problem::bad(StatusCode::BAD_REQUEST, detail);
    // The library's own message could quote the token.
    let review: Review = serde_json::from_slice(body).map_err(|error| {
        bad(format!(
            "the body must be a TokenReview as JSON; it is not at line {}, column {}",
            error.line(),
            error.column()
        ))
    })?;
    if review.kind != KIND || !VERSIONS.contains(&review.api_version.as_str()) {
        return Err(bad(format!("`kind` must be {KIND}, and `apiVersion` one of {}", VERSIONS.join(", "))));
    }
    Ok(review)
}

/// No audiences are given, so the API server takes it that the token is for itself.
fn authenticated(allowed: &Allowed<'_>) -> TokenReviewStatus {
    let holder = &allowed.entry.key.holder;
    TokenReviewStatus {
        authenticated: Some(true),
        user: Some(UserInfo {
            username: Some(holder.actor.to_string()),
            uid: Some(allowed.entry.key.issued_for.to_string()),
            groups: Some(vec![GROUP.to_owned(), format!("{GROUP}:{}", holder.account)]),
            extra: Some(BTreeMap::from([(KEY_ID.to_owned(), vec![allowed.id.as_str().to_owned()])])),
        }),
        ..TokenReviewStatus::default()
    }
}

/// With an error the API server does not keep the refusal, so a key that is switched on is good at once.
fn not_authenticated(refused: &Refused) -> TokenReviewStatus {
    TokenReviewStatus {
        authenticated: Some(false),
        error: Some(detail(refused.cause.class()).to_owned()),
        ..TokenReviewStatus::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_body_that_is_no_review_is_refused_without_its_contents() {
        for body in [
            "",
            "{",
            r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":"kw_secret"}"#,
            r#"{"apiVersion":"authentication.k8s.io/v2","kind":"TokenReview","spec":{"token":"kw_secret"}}"#,
            r#"{"apiVersion":"authentication.k8s.io/v1","kind":"kw_secret","spec":{"token":"kw_secret"}}"#,
        ] {
            let problem = review(body.as_bytes()).err().unwrap();
            assert_eq!(problem.status(), 400);
            assert!(!serde_json::to_string(&problem).unwrap().contains("kw_secret"), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = review(&body);
        }
    }

    #[test]
    fn no_fuzzed_body_is_repeated_in_what_is_said_of_it() {
        let seed =
            br#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"kw_secret"}}"#;
        crate::fuzz::bytes(&[seed, b"{}", b"[]"], |body| match review(body) {
            Ok(review) => assert_eq!(review.kind, KIND),
            Err(problem) => assert!(!problem.detail.contains("kw_secret")),
        });
    }
}
