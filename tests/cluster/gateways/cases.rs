//! What holds behind every gateway.

use http::Method;
use keyward::api::AccessKey;
use keyward::domain::value::token::Token;
use keyward::verifier::http::reference;
use serde_json::{Value, json};

use crate::gateways::application::Application;
use crate::gateways::gateway::{Kind, Running};
use crate::gateways::keys::Keys;
use crate::support::http::{Answer, Http};
use crate::support::{Scene, Verifier, eventually};

pub const ON_BEHALF_OF: &str = "x-keyward-on-behalf-of";

/// In what gateways differ.
pub struct Differences {
    /// Whether it answers refusals with a body of its own instead of the verifier's.
    pub own_body: bool,
    /// What it answers while the verifier cannot be reached.
    pub unreachable: u16,
}

pub struct Stage {
    pub scene: Scene,
    pub keys: Keys,
    pub application: Application,
    pub gateway: Running,
    http: Http,
    differences: Differences,
}

pub async fn everything_holds(kind: Kind, differences: Differences) {
    let (scene, _controller) = Scene::with_controller(kind.name()).await;
    let keys = Keys::make(&scene).await;
    let mut verifier = Verifier::start(&scene, &["--trusted-proxies", "127.0.0.1"]).await;
    keys.known_to(&verifier).await;
    let application = Application::start().await;
    let address = verifier.address().await;
    let gateway = Running::start(kind, &scene.namespace, &address, &application.address, &[]);
    let mut stage = Stage { scene, keys, application, gateway, http: Http::default(), differences };
    stage.answers("/", &stage.keys.good, 200).await;
    stage.who_is_let_in().await;
    stage.who_is_refused().await;
    stage.nothing_a_client_sends_is_taken_for_the_verdict().await;
    stage.no_lookalike_of_a_header_reaches_an_application(&address).await;
    stage.no_client_has_the_identity_left_out().await;
    stage.what_is_sent_twice_or_empty().await;
    stage.many_headers_of_a_client_are_let_through().await;
    stage.acting_for_another(&verifier).await;
    stage.variants_of_the_configuration(&address).await;
    stage.switched_off().await;
    verifier.kill();
    stage.nobody_while_the_verifier_is_gone().await;
}

impl Stage {
    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.http.ask(method, &format!("{}{path}", self.gateway.url), headers, body).await
    }

    pub async fn get(&self, path: &str, token: &Token, headers: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {}", token.reveal());
        self.ask(Method::GET, path, &[&[("authorization", bearer.as_str())], headers].concat(), "").await
    }

    /// Waits for a status.
    pub async fn answers(&self, path: &str, token: &Token, status: u16) {
        let url = format!("{}{path}", self.gateway.url);
        let bearer = format!("Bearer {}", token.reveal());
        let headers = [("authorization", bearer.as_str())];
        eventually(&format!("{path} is answered {status}"), async || {
            match self.http.try_ask(Method::GET, &url, &headers, "").await {
                Ok(answer) if answer.status == status => Ok(()),
                Ok(answer) => Err((answer.status.to_string(), self.gateway.log())),
                Err(error) => Err((error.to_string(), self.gateway.log())),
            }
        })
        .await;
    }

    pub async fn who_is_let_in(&self) {
        let Keys { good, .. } = &self.keys;
        let actor = format!("keyward:{}:good", self.scene.namespace);
        let answer = self.get("/reports?q=1", good, &[]).await;
        let said = answer.json();
        assert_eq!((answer.status, &said["uri"]), (200, &json!("/reports?q=1")));
        self.identifies(&said, good, [&actor, &actor, "", "", ""]);

        let answer = self.get("/expenses/7", good, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.identifies(&answer.json(), good, [&actor, &actor, "Process/expense-claims", "Member", ""]);

        let headers = [("x-api-key", good.reveal()), ("content-type", "text/plain")];
        let answer = self.ask(Method::POST, "/reports", &headers, "a body of the client").await;
        let said = answer.json();
        assert_eq!((answer.status, &said["method"]), (200, &json!("POST")));
        assert_eq!(said["body"], "a body of the client");
        self.identifies(&said, good, [&actor, &actor, "", "", ""]);
    }

    /// The application learns the verdict, and no credential.
    pub fn identifies(&self, said: &Value, token: &Token, expected: [&str; 5]) {
        let [subject, actor, resource, role, user] = expected;
        let account = self.scene.namespace.as_str();
        for (name, value) in [
            ("x-keyward-subject", subject),
            ("x-keyward-actor", actor),
            ("x-keyward-account", account),
            ("x-keyward-service-account", "good"),
            ("x-keyward-key-id", token.id()),
            ("x-keyward-resource", resource),
            ("x-keyward-role", role),
            (ON_BEHALF_OF, user),
        ] {
            assert_eq!(values(said, name).concat(), value, "{name}");
        }
        let expires = values(said, "x-keyward-expires-at");
        assert!(
            expires.len() == 1 && chrono::DateTime::parse_from_rfc3339(&expires[0]).is_ok(),
            "{expires:?}"
        );
        assert!(values(said, "authorization").is_empty() && values(said, "x-api-key").is_empty());
        assert!(!said.to_string().contains(token.reveal()), "the application got the token");
    }

    pub async fn who_is_refused(&self) {
        let Keys { good, viewer, stranger, off, expired, .. } = &self.keys;
        let reveal = good.reveal();
        let typo = format!("{}{}", &reveal[..64], if reveal.ends_with('0') { '1' } else { '0' });
        let guess = Token::from_random(&[7; 64]).unwrap();
        let bearer = |text: &str| ("authorization", format!("Bearer {text}"));
        let none = r#"Bearer realm="keyward""#;
        let [invalid, twice, scope] = ["invalid_token", "invalid_request", "insufficient_scope"]
            .map(|error| format!(r#"{none}, error="{error}""#));
        for (what, path, headers, status, challenge) in [
            ("no credential", "/", vec![], 401, none),
            ("nonsense", "/", vec![bearer("nonsense")], 401, invalid.as_str()),
            ("a typo", "/", vec![bearer(&typo)], 401, &invalid),
            ("a guess", "/", vec![bearer(guess.reveal())], 401, &invalid),
            ("another scheme", "/", vec![("authorization", "Basic YTpi".into())], 401, &invalid),
            ("two credentials", "/", vec![bearer(reveal), ("x-api-key", reveal.into())], 401, &twice),
            ("a key that is off", "/", vec![bearer(off.reveal())], 401, &invalid),
            ("a key that expired", "/", vec![bearer(expired.reveal())], 401, &invalid),
            ("no grant", "/expenses/", vec![bearer(stranger.reveal())], 403, &scope),
            ("a lower role", "/expenses/", vec![bearer(viewer.reveal())], 403, &scope),
            ("a bad key at the resource", "/expenses/", vec![bearer(off.reveal())], 401, &invalid),
        ] {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let before = self.application.requests();
            let answer = self.ask(Method::GET, path, &headers, "").await;
            assert_eq!(answer.status, status, "{what}");
            self.is_refusal(&answer, challenge, what);
            assert_eq!(self.application.requests(), before, "{what} reached the application");
        }
    }

    fn is_refusal(&self, answer: &Answer, challenge: &str, what: &str) {
        // nginx passes a challenge on with 401 only.
        if answer.status == 401 || !self.differences.own_body {
            assert_eq!(answer.header("www-authenticate"), challenge, "{what}");
        }
        if !self.differences.own_body {
            assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
            assert_eq!(answer.json()["status"], answer.status, "{what}");
        }
    }

    async fn nothing_a_client_sends_is_taken_for_the_verdict(&self) {
        let actor = format!("keyward:{}:good", self.scene.namespace);
        let identity = reference::identity().map(|(name, _)| name);
        let mut spoofed: Vec<(&str, &str)> =
            identity.filter(|name| *name != ON_BEHALF_OF).map(|name| (name, "spoofed")).collect();
        spoofed.push(("x-keyward-subject", "spoofed"));
        let answer = self.get("/", &self.keys.good, &spoofed).await;
        let said = answer.json();
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.identifies(&said, &self.keys.good, [&actor, &actor, "", "", ""]);
        assert!(!said.to_string().contains("spoofed"), "{said}");

        // Neither does the path or the query choose what is required.
        for path in ["/auth/envoy/-/x", "/x?for=Process", "/for/Process/expense-claims"] {
            let answer = self.get(path, &self.keys.stranger, &[]).await;
            assert_eq!((answer.status, &answer.json()["uri"]), (200, &json!(path)));
        }
        for path in ["/expenses/../expenses/", "/expenses/%2e/", "/x/../expenses/", "//expenses/"] {
            let answer = self.get(path, &self.keys.stranger, &[]).await;
            assert_eq!(answer.status, 403, "{path}");
        }
        let other = [("x-keyward-resource", "Process/nothing"), ("x-keyward-role", "Viewer")];
        assert_eq!(self.get("/expenses/", &self.keys.viewer, &other).await.status, 403);
        assert_eq!(self.get("/", &self.keys.stranger, &other).await.status, 200);
    }

    async fn acting_for_another(&self, verifier: &Verifier) {
        let Keys { good, own_only, .. } = &self.keys;
        let ann = [(ON_BEHALF_OF, "ann@example.org")];
        let actor = format!("keyward:{}:good", self.scene.namespace);
        let answer = self.get("/expenses/7", good, &ann).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let expected = ["ann@example.org", &actor, "Process/expense-claims", "Member", "ann@example.org"];
        self.identifies(&answer.json(), good, expected);
        verifier
            .audit_line("of the act", |line| {
                line["reason"] == "ActedOnBehalf"
                    && line["subject"] == "ann@example.org"
                    && line["client"] == "127.0.0.1"
            })
            .await;
        assert_eq!(self.get("/expenses/7", own_only, &ann).await.status, 403);
        verifier.audit_line("of the refusal", |line| line["cause"] == "ImpersonationDisabled").await;
        assert_eq!(self.get("/", good, &ann).await.status, 403, "no resource is named there");
    }

    async fn switched_off(&self) {
        self.scene.set::<AccessKey>("good-key", json!({"state": "Inactive"})).await;
        self.answers("/", &self.keys.good, 401).await;
        self.scene.set::<AccessKey>("good-key", json!({"state": "Active"})).await;
        self.answers("/", &self.keys.good, 200).await;
    }

    async fn nobody_while_the_verifier_is_gone(&self) {
        let before = self.application.requests();
        let answer = self.get("/", &self.keys.good, &[]).await;
        assert_eq!(answer.status, self.differences.unreachable, "{}", answer.body);
        assert_eq!(self.application.requests(), before);
    }
}

/// Every value that the application got under a header's name.
pub fn values(said: &Value, name: &str) -> Vec<String> {
    let headers = said["headers"].as_array().unwrap();
    let of_name = headers.iter().filter(|pair| pair[0] == name);
    of_name.map(|pair| pair[1].as_str().unwrap().to_owned()).collect()
}
