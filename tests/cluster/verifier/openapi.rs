//! The `OpenAPI` document is a valid one, and what a verifier answers is what it says.

use std::collections::BTreeSet;

use http::Method;
use jsonschema::Registry;
use serde_json::{Value, json};

use crate::support::http::Answer;
use crate::support::{Proxy, Scene, Verifier};

/// The document of a verifier.
struct Document(Value);

impl Document {
    async fn of(verifier: &Verifier) -> Self {
        let answer = verifier.ask(Method::GET, "/openapi.json", &[], "").await;
        oas3::from_json(&answer.body).unwrap();
        Self(answer.json())
    }

    /// Follows a `$ref` within the document.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some(place) = value["$ref"].as_str() else { return value };
        let pointer = place.strip_prefix('#').unwrap_or_else(|| panic!("{place} leads out of the document"));
        self.resolve(self.0.pointer(pointer).unwrap_or_else(|| panic!("{place} leads nowhere")))
    }

    /// Checks `answer`, given to a request at the templated `path`, against what the document says of it.
    #[track_caller]
    fn covers(&self, method: &str, path: &str, answer: &Answer) {
        let responses = &self.0["paths"][path][method]["responses"];
        let response = self.resolve(&responses[answer.status.to_string()]);
        assert!(response["description"].is_string(), "{path} {}: not in the document", answer.status);
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let there = answer.headers.contains_key(name);
            assert!(there || header["required"] == false, "{path} {}: no {name}", answer.status);
        }
        let sent = answer.headers.keys().filter(|name| name.as_str().starts_with("x-keyward-"));
        for name in sent {
            let documented = response["headers"].as_object().into_iter().flatten();
            assert!(documented.map(|(known, _)| known).any(|known| known == name.as_str()), "{name}");
        }
        let Some(content) = response["content"].as_object() else {
            assert_eq!(answer.body, "", "{path} {}", answer.status);
            return;
        };
        let schema = &content[answer.header("content-type")]["schema"];
        if let Err(error) = self.validator(schema).validate(&answer.json()) {
            panic!("{path} {}: {error} at {}", answer.status, error.instance_path());
        }
    }

    /// A validator for a schema that refers to others of the document.
    fn validator(&self, schema: &Value) -> jsonschema::Validator {
        const PLACE: &str = "https://verifier.example/openapi.json";
        let text = schema.to_string().replace("\"#/", &format!("\"{PLACE}#/"));
        let registry = Registry::new().add(PLACE, &self.0).unwrap().prepare().unwrap();
        let options = jsonschema::draft202012::options().with_registry(&registry);
        options.build(&serde_json::from_str(&text).unwrap()).unwrap()
    }
}

#[tokio::test]
async fn the_document_is_whole_and_refers_to_nothing_outside() {
    let scene = Scene::new("document").await;
    let verifier = Verifier::start(&scene, &[]).await;
    let document = Document::of(&verifier).await;
    let text = document.0.to_string();
    for part in text.split("\"$ref\":").skip(1) {
        let place: String = serde_json::Deserializer::from_str(part).into_iter().next().unwrap().unwrap();
        document.resolve(&json!({"$ref": place}));
    }
    for (name, schema) in document.0["components"]["schemas"].as_object().unwrap() {
        jsonschema::draft202012::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        document.validator(schema);
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document.0["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{path}");
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let named: BTreeSet<&str> = parameters
                .map(|parameter| document.resolve(parameter))
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().unwrap())
                .collect();
            let in_path: BTreeSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
            assert_eq!(named, in_path, "{path}");
        }
    }
    assert_eq!(ids.len(), 18);
}

#[tokio::test]
async fn what_is_answered_is_what_the_document_says() {
    let (scene, _controller) = Scene::with_controller("documented").await;
    let token = scene.issued("ci").await;
    scene.grant("claims", "ci", "Process", "expense-claims", json!({"impersonation": "Enabled"})).await;
    let verifier = Verifier::start(&scene, &[]).await;
    let document = Document::of(&verifier).await;
    let (get, post) = ("get", "post");

    let claims = json!({"category": "Process", "name": "expense-claims", "role": "Viewer"});
    let full = json!({"token": token.reveal(), "resource": claims, "onBehalfOf": "ann", "requestId": "r"});
    for (question, status, valid) in [
        (full.clone(), 200, Some(true)),
        (json!({"token": token.reveal()}), 200, Some(true)),
        (json!({"token": "nonsense"}), 200, Some(false)),
        (json!({"token": token.reveal(), "resource": {"category": "App", "name": "x"}}), 200, Some(false)),
        (json!({"token": 1}), 400, None),
        (json!({"token": "x".repeat(70_000)}), 413, None),
    ] {
        let answer = verifier.post("/v1/verify", &question).await;
        assert_eq!((answer.status, answer.json()["valid"].as_bool()), (status, valid));
        document.covers(post, "/v1/verify", &answer);
    }
    let request = &document.0["paths"]["/v1/verify"]["post"]["requestBody"]["content"]["application/json"];
    let request = document.validator(&request["schema"]);
    assert!(request.is_valid(&full) && !request.is_valid(&json!({"token": 1})));
    assert!(!request.is_valid(&json!({"token": "", "resourse": claims})));

    for presented in [token.reveal(), "another.kind.of-token"] {
        let review = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": presented},
        });
        let request = &document.0["components"]["schemas"]["TokenReviewRequest"];
        assert!(document.validator(request).is_valid(&review));
        document.covers(post, "/tokenreview", &verifier.post("/tokenreview", &review).await);
    }
    document.covers(post, "/tokenreview", &verifier.post("/tokenreview", &json!({})).await);

    let on = |end: &str| format!("/for/{{category}}/{{name}}{end}");
    for (asked, path, headers, status) in [
        ("", "/auth".to_owned(), vec![], 200),
        (
            "/for/Process/expense-claims",
            format!("/auth{}", on("")),
            vec![("x-keyward-on-behalf-of", "ann")],
            200,
        ),
        ("/nginx/for/Process/expense-claims/Admin", format!("/auth/nginx{}", on("/{role}")), vec![], 403),
        ("/envoy/for/App/x/-/v1", format!("/auth/envoy{}/-/{{path}}", on("")), vec![], 403),
        ("/caddy", "/auth/caddy".to_owned(), vec![("x-api-key", "x")], 401),
        ("/nothing", "/auth".to_owned(), vec![], 404),
    ] {
        let answer = verifier.auth(asked, &token, &headers).await;
        assert_eq!(answer.status, status, "{asked}");
        document.covers(get, &path, &answer);
    }
    document.covers(get, "/auth", &verifier.ask(Method::GET, "/auth", &[], "").await);
    for (path, wrong, method) in [
        ("/v1/verify", Method::GET, post),
        ("/tokenreview", Method::GET, post),
        ("/openapi.json", Method::PUT, get),
    ] {
        let answer = verifier.ask(wrong, path, &[], "").await;
        assert_eq!(answer.status, 405);
        document.covers(method, path, &answer);
    }
}

#[tokio::test]
async fn a_verifier_that_cannot_tell_says_so_as_documented() {
    let scene = Scene::new("documented-unavailable").await;
    let proxy = Proxy::start().await;
    proxy.cut_off(|path| path.ends_with("/resourcegrants"));
    let verifier = Verifier::launch(&scene, &[], Some(&proxy.url), None).await;
    let document = Document::of(&verifier).await;
    let guess = keyward::domain::value::token::Token::from_random(&[7; 64]).unwrap();
    let answer = verifier.post("/v1/verify", &json!({"token": guess.reveal()})).await;
    assert_eq!(answer.status, 503);
    document.covers("post", "/v1/verify", &answer);
    document.covers("get", "/auth", &verifier.auth("", &guess, &[]).await);
}
