//! Makes a request of a body. What is wrong with a body is said without a word of its contents, since that
//! could be a token in the wrong place: so fields are first read as whatever they are, and unknown ones are
//! counted rather than named, as serde's own messages would.

use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::domain::verdict::{BadRequest, Requirements, ResourceText};
use crate::verifier::http::problem::Problem;

/// A body as it was read.
pub(super) struct Question {
    pub(super) token: Zeroizing<String>,
    pub(super) requirements: Requirements,
    pub(super) request_id: String,
}

/// The fields of a [`VerifyRequest`](super::VerifyRequest), each as whatever it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    token: Option<Field<String>>,
    resource: Option<Field<ResourceFields>>,
    on_behalf_of: Option<Field<String>>,
    request_id: Option<Field<String>>,
    #[serde(flatten)]
    unknown: Unknown,
}

/// The same of a [`VerifyResource`](super::VerifyResource).
#[derive(Deserialize)]
struct ResourceFields {
    category: Option<Field<String>>,
    name: Option<Field<String>>,
    role: Option<Field<String>>,
    #[serde(flatten)]
    unknown: Unknown,
}

/// Fields that nothing is known of: `deny_unknown_fields` would name them, and take arrays for objects.
type Unknown = Map<String, Value>;

/// A field's value, where it is of the type that it must be.
#[derive(Deserialize)]
#[serde(untagged)]
enum Field<T> {
    Good(T),
    OfAnotherType(IgnoredAny),
}

impl<T> Field<T> {
    fn read(field: Option<Self>, expected: &str) -> Result<Option<T>, Problem> {
        match field {
            None => Ok(None),
            Some(Self::Good(value)) => Ok(Some(value)),
            Some(Self::OfAnotherType(_)) => Err(bad(expected.to_owned())),
        }
    }
}

/// Reads a body.
///
/// # Errors
/// What is wrong with it, with the name of the field and what is allowed.
pub(super) fn read(body: &[u8]) -> Result<Question, Problem> {
    let fields: Fields = serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            return bad("the body must be a JSON object with each field once".into());
        }
        bad(format!("the body must be JSON; it is not at line {}, column {}", error.line(), error.column()))
    })?;
    let Fields { token, resource, on_behalf_of, request_id, unknown } = fields;
    let token = text(token, "token")?.map(Zeroizing::new);
    let token = token.ok_or_else(|| bad("`token` must be there".into()))?;
    let resource = Field::read(resource, "`resource` must be an object with `category` and `name`")?;
    let resource = resource.map(ResourceFields::read).transpose()?;
    let on_behalf_of = text(on_behalf_of, "onBehalfOf")?;
    let request_id = text(request_id, "requestId")?.unwrap_or_default();
    none_unknown(&unknown, "token, resource, onBehalfOf, requestId")?;
    let resource = resource.as_ref().map(|(category, name, role)| ResourceText {
        category,
        name,
        role: role.as_deref(),
    });
    let requirements = Requirements::for_resource(resource)
        .and_then(|requirements| requirements.on_behalf_of(on_behalf_of.as_deref()))
        .map_err(|BadRequest { cause: _, message }| bad(message))?;
    Ok(Question { token, requirements, request_id })
}

impl ResourceFields {
    /// Category, name and role.
    fn read(self) -> Result<(String, String, Option<String>), Problem> {
        let Self { category, name, role, unknown } = self;
        let (category, name, role) = (text(category, "category")?, text(name, "name")?, text(role, "role")?);
        none_unknown(&unknown, "category, name, role")?;
        let missing = |name| bad(format!("`resource.{name}` must be there"));
        Ok((category.ok_or_else(|| missing("category"))?, name.ok_or_else(|| missing("name"))?, role))
    }
}

fn text(field: Option<Field<String>>, name: &str) -> Result<Option<String>, Problem> {
    Field::read(field, &format!("`{name}` must be a string"))
}

fn none_unknown(unknown: &Unknown, allowed: &str) -> Result<(), Problem> {
    if unknown.is_empty() {
        return Ok(());
    }
    Err(bad(format!("there are {} fields too many; allowed are {allowed}", unknown.len())))
}

fn bad(detail: String) -> Problem {
    Problem::bad(StatusCode::BAD_REQUEST, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::resource_grant::{Category, Role};
    use crate::verifier::http::verify::types::{VerifyRequest, VerifyResource};
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
            (
                r#"{"token": "t", "resource": {"category": "App", "name": "x", "kw_secret": 1}}"#,
                "1 fields too many; allowed are category, name, role",
            ),
            (r#"{"token": "t", "requestId": {}}"#, "`requestId` must be a string"),
            (
                r#"{"token": "t", "resource": {"category": "App", "name": ["kw_secret"]}}"#,
                "`name` must be a string",
            ),
            (r#"["kw_secret", null, null, null]"#, "the body must be a JSON object"),
            (r#"{"token": "t", "resource": ["App", "kw_secret", null]}"#, "`resource` must be an object"),
            (r#"{"token": "t", "token": "kw_secret"}"#, "with each field once"),
            (r#"{"token": "t", "kw_secret": 1}"#, "1 fields too many; allowed are token, resource"),
        ] {
            let problem = serde_json::to_string(&read(body.as_bytes()).err().unwrap()).unwrap();
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
        let question = read(&serde_json::to_vec(&request).unwrap()).ok().unwrap();
        let requirements = question.requirements;
        assert_eq!(requirements.resource.unwrap().label(), "App/x");
        assert_eq!((requirements.on_behalf_of.unwrap().as_str(), question.request_id.as_str()), ("ann", "r"));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&body);
        }
    }

    #[test]
    fn no_fuzzed_body_is_repeated_in_what_is_said_of_it() {
        let seed = br#"{"token":"kw_secret","resource":{"category":"App","name":"x"},"onBehalfOf":"ann"}"#;
        crate::fuzz::bytes(&[seed, b"{}", b"[]"], |body| {
            if let Err(problem) = read(body) {
                assert!(!problem.detail.contains("kw_secret"));
            }
        });
    }
}
