//! `POST /v1/verify`: the question that applications ask, in JSON.

use std::net::IpAddr;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::resource_grant::{Category, Role};
use crate::domain::verdict::{Asked, BadRequest, Class, OnBehalfOf, ResourceAsked};
use crate::verifier::check::checker;
use crate::verifier::check::checker::{Allowed, Refused};
use crate::verifier::http::answer::{expires_at, resource};
use crate::verifier::http::problem::{Problem, code, json, said};
use crate::verifier::http::profile::Profile;
use crate::verifier::http::{Endpoints, body_of};
use crate::verifier::metrics::Endpoint;

/// A question about one token.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyRequest {
    /// The token as it was presented to you, without `Bearer`.
    #[schemars(length(max = 4096))]
    pub token: String,
    /// The resource that the request is about; the service account must have a grant on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<VerifyResource>,
    /// The person that the request acts for: 1 to 253 visible ASCII characters, not beginning with `keyward:` or
    /// `system:`. Needs `resource`, and a grant on it with impersonation enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub on_behalf_of: Option<String>,
    /// Your id of the request, for the audit line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub request_id: Option<String>,
}

/// A resource, and the least role that suffices there.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyResource {
    /// What kind of resource it is.
    pub category: Category,
    /// Its name, as in the grant.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// The least role that suffices. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// The verdict. Where `valid` is false, only `code` and `message` are there beside it.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyResponse {
    /// Whether the request may be let in.
    pub valid: bool,
    /// Why not: `invalid_token` for every token that is not good, `insufficient_scope` for a good one that does not reach
    /// this far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["invalid_token", "insufficient_scope"]), with = "String")]
    pub code: Option<String>,
    /// The same as a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub message: Option<String>,
    /// Whom the request is to be taken to come from: the person acted for, or else the service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub subject: Option<String>,
    /// The service account that acts, as `keyward:<account>:<service account>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub actor: Option<String>,
    /// Its account: the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub account: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub service_account: Option<String>,
    /// Public id of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub key_id: Option<String>,
    /// When the token ends (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub expires_at: Option<String>,
    /// The resource that was asked for, as `Category/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub resource: Option<String>,
    /// The role that the service account has there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Role")]
    pub role: Option<Role>,
    /// The person acted for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub on_behalf_of: Option<String>,
}

/// A question as it was read.
struct Question {
    token: String,
    asked: Result<Asked, BadRequest>,
    request_id: String,
}

impl Endpoints {
    pub(super) async fn verify(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Full<Bytes>> {
        let question = match body_of(request).await.and_then(|body| question(&body)) {
            Ok(question) => question,
            Err(problem) => return problem.answer(),
        };
        let asks = checker::Request {
            endpoint: Endpoint::Verify,
            credential: Ok(&question.token),
            asked: question.asked,
            client: Some(peer),
            request_id: &question.request_id,
        };
        let response = match self.checker.check(&asks, valid) {
            Ok(response) => response,
            Err(refused) => {
                // A trusted application asks for others, and only it knows whom to slow down.
                let refused = if self.throttle.trusts(peer) {
                    refused
                } else {
                    self.throttle.slow_down(peer, refused).await
                };
                match refused.cause.class() {
                    Class::Unavailable | Class::TooManyFailures => {
                        return Problem::of(&refused, Profile::Plain).answer();
                    }
                    _ => invalid(refused),
                }
            }
        };
        json(StatusCode::OK, serde_json::to_vec(&response).unwrap_or_default().into())
    }
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
        on_behalf_of: allowed.asked.on_behalf_of.as_ref().map(|person| person.as_str().to_owned()),
    }
}

fn invalid(refused: Refused) -> VerifyResponse {
    let class = refused.cause.class();
    let message = refused.message.unwrap_or_else(|| said(class).to_owned());
    VerifyResponse {
        valid: false,
        code: Some(code(class).to_owned()),
        message: Some(message),
        ..VerifyResponse::default()
    }
}

/// Reads the question field by field: the library's own messages could quote the token.
fn question(body: &[u8]) -> Result<Question, Problem> {
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        bad(format!("the body must be JSON; it is not at line {}, column {}", error.line(), error.column()))
    })?;
    let Value::Object(mut fields) = value else { return Err(bad("the body must be a JSON object".into())) };
    let token = text(&mut fields, "token")?.ok_or_else(|| bad("`token` must be there".into()))?;
    let resource = match fields.remove("resource") {
        None | Some(Value::Null) => None,
        Some(Value::Object(resource)) => Some(wanted(resource)?),
        Some(_) => return Err(bad("`resource` must be an object with `category` and `name`".into())),
    };
    let on_behalf_of = text(&mut fields, "onBehalfOf")?;
    let request_id = text(&mut fields, "requestId")?.unwrap_or_default();
    nothing_else(&fields, "token, resource, onBehalfOf, requestId")?;
    let asked = resource.transpose().and_then(|resource| {
        let on_behalf_of = on_behalf_of.as_deref().map(OnBehalfOf::parse).transpose()?;
        Ok(Asked { resource, on_behalf_of })
    });
    match asked {
        Err(BadRequest { message, .. }) => Err(bad(message)),
        asked => Ok(Question { token, asked, request_id }),
    }
}

fn wanted(mut fields: Map<String, Value>) -> Result<Result<ResourceAsked, BadRequest>, Problem> {
    let mut word = |name| text(&mut fields, name);
    let (category, name, role) = (word("category")?, word("name")?, word("role")?);
    nothing_else(&fields, "category, name, role")?;
    let missing = |name| bad(format!("`resource.{name}` must be there"));
    let category = category.ok_or_else(|| missing("category"))?;
    let name = name.ok_or_else(|| missing("name"))?;
    Ok(ResourceAsked::parse(&category, &name, role.as_deref()))
}

fn text(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Problem> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad(format!("`{name}` must be a string"))),
    }
}

/// What a field is called is not repeated: it could be a token in the wrong place.
fn nothing_else(fields: &Map<String, Value>, allowed: &str) -> Result<(), Problem> {
    if fields.is_empty() {
        return Ok(());
    }
    Err(bad(format!("there are {} fields too many; allowed are {allowed}", fields.len())))
}

fn bad(detail: String) -> Problem {
    Problem::bad(StatusCode::BAD_REQUEST, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_question_that_cannot_be_meant_names_the_field_and_never_the_token() {
        for (body, said) in [
            ("", "the body must be JSON; it is not at line 1, column 0"),
            ("[]", "the body must be a JSON object"),
            ("{}", "`token` must be there"),
            (r#"{"token": ["kw_secret"]}"#, "`token` must be a string"),
            (r#"{"token": "t", "resource": "kw_secret"}"#, "`resource` must be an object"),
            (r#"{"token": "t", "resource": {"name": "x"}}"#, "`resource.category` must be there"),
            (r#"{"token": "t", "resource": {"category": "Proces", "name": "x"}}"#, "it is 'Proces'"),
            (r#"{"token": "t", "onBehalfOf": "system:x"}"#, "must not begin with keyward: or system:"),
            (r#"{"token": "t", "kw_secret": 1}"#, "1 fields too many; allowed are token, resource"),
        ] {
            let problem = serde_json::to_string(&question(body.as_bytes()).err().unwrap()).unwrap();
            assert!(problem.contains(said), "{problem}");
            assert!(!problem.contains("kw_secret"), "{problem}");
        }
    }

    #[test]
    fn whatever_the_documented_type_can_say_is_understood() {
        let request = VerifyRequest {
            token: "t".into(),
            resource: Some(VerifyResource {
                category: Category::App,
                name: "x".into(),
                role: Some(Role::Viewer),
            }),
            on_behalf_of: Some("ann".into()),
            request_id: Some("r".into()),
        };
        let question = question(&serde_json::to_vec(&request).unwrap()).ok().unwrap();
        let asked = question.asked.unwrap();
        assert_eq!(asked.resource.unwrap().label(), "App/x");
        assert_eq!((asked.on_behalf_of.unwrap().as_str(), question.request_id.as_str()), ("ann", "r"));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = question(&body);
        }
    }
}
