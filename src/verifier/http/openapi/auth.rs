//! The paths of `/auth`: one for each gateway, and for each the ways to name a resource.

use serde_json::{Map, Value, json};

use crate::api::resource_grant::{Category, Role};
use crate::verifier::http::credential::{ON_BEHALF_OF, REQUEST_ID, RESOURCE, ROLE};
use crate::verifier::http::openapi::parts::response;
use crate::verifier::http::profile::Profile;

/// How a path may go on behind the gateway's name: its end, what it requires, and its parameters.
const WAYS: [(&str, &str, &[&str]); 3] = [
    ("", "", &[]),
    ("/for/{category}/{name}", " and a grant", &["category", "name"]),
    ("/for/{category}/{name}/{role}", " and a grant of a role", &["category", "name", "leastRole"]),
];

/// All of them.
pub(super) fn paths() -> Map<String, Value> {
    let named = Profile::NAMED.map(|(name, profile)| (Some(name), profile));
    let all = std::iter::once((None, Profile::Plain)).chain(named);
    all.flat_map(|(name, profile)| WAYS.map(|way| path(name, profile, way))).collect()
}

fn path(
    gateway: Option<&str>,
    profile: Profile,
    (end, requires, segments): (&str, &str, &[&str]),
) -> (String, Value) {
    let mut parameters: Vec<&str> = segments.to_vec();
    parameters.extend(["onBehalfOf", "requestId"]);
    let begin = gateway.map(|name| format!("/auth/{name}")).unwrap_or_default();
    let mut path = if begin.is_empty() { format!("/auth{end}") } else { format!("{begin}{end}") };
    match profile {
        Profile::Plain if segments.is_empty() => parameters.extend(["resource", "role"]),
        Profile::Plain => {}
        Profile::Nginx => parameters.push("realIp"),
        Profile::Traefik | Profile::Caddy => parameters.push("forwardedFor"),
        Profile::Envoy => {
            path.push_str("/-/{path}");
            parameters.extend(["path", "realIp"]);
        }
    }
    let parameters: Vec<Value> =
        parameters.iter().map(|name| json!({"$ref": format!("#/components/parameters/{name}")})).collect();
    let whom = gateway.map(|name| format!(" for {name}")).unwrap_or_default();
    let refused =
        [("401", "Unauthorized"), ("403", "Forbidden"), ("404", "NotFound"), ("503", "Unavailable")];
    // nginx would make 500 of it.
    let too_many = (profile != Profile::Nginx).then_some(("429", "TooManyFailures"));
    let answers = std::iter::once(("200", "Allowed")).chain(refused).chain(too_many);
    let answers: Map<String, Value> =
        answers.map(|(status, name)| (status.to_owned(), response(name))).collect();
    let operation = json!({"get": {
        "operationId": operation_id(gateway, segments),
        "summary": format!("Ask for a good access key{requires}{whom}"),
        "description": "Any method is answered as GET is. The body is not read.",
        "security": [{"bearer": []}, {"apiKey": []}],
        "parameters": parameters,
        "responses": answers,
    }});
    (path, operation)
}

/// Such as `authNginxForResourceAndRole`.
fn operation_id(gateway: Option<&str>, segments: &[&str]) -> String {
    let mut letters = gateway.unwrap_or_default().chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let end = match segments.len() {
        0 => "",
        2 => "ForResource",
        _ => "ForResourceAndRole",
    };
    ["auth".chars().collect(), first.into_iter().chain(letters).collect::<String>(), end.to_owned()].concat()
}

/// What the paths take.
pub(super) fn parameters() -> Value {
    let categories: Vec<&str> = Category::ALL.iter().map(|category| category.as_str()).collect();
    let roles: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
    let (text, role) = (json!({"type": "string"}), json!({"type": "string", "enum": roles}));
    let segment = |name: &str, schema: &Value, about: &str| json!({"in": "path", "name": name, "required": true, "schema": schema, "description": about});
    let header = |name: &str, schema: &Value, about: &str| json!({"in": "header", "name": name, "required": false, "schema": schema, "description": about});
    let resource_name = json!({
        "type": "string", "minLength": 1, "maxLength": 128,
        "pattern": "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
    });
    let user = json!({"type": "string", "maxLength": 253, "pattern": "^[!-~]*$"});
    json!({
        "category": segment(
            "category", &json!({"type": "string", "enum": categories}), "Category of the resource.",
        ),
        "name": segment("name", &resource_name, "Name of the resource, as in the grant."),
        "leastRole": segment("role", &role, "The least role that suffices."),
        "path": segment("path", &text, "The client's own path, with all its slashes. It is not read."),
        "resource": header(
            RESOURCE, &text, "The resource, as `Category/name`. Only read at this path, which an application asks itself.",
        ),
        "role": header(ROLE, &role, "The least role that suffices there."),
        "onBehalfOf": header(
            ON_BEHALF_OF, &user,
            "The person that the request acts for. Needs a resource, and a grant on it with impersonation enabled.",
        ),
        "requestId": header(REQUEST_ID, &text, "Your id of the request, for the audit line."),
        "realIp": header(
            "x-real-ip", &text, "The client's address. Believed of trusted proxies only.",
        ),
        "forwardedFor": header(
            "x-forwarded-for", &text, "The client's address, the last one. Believed of trusted proxies only.",
        ),
    })
}
