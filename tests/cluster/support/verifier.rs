//! A verifier process, and a client that asks it.

use std::ops::{Deref, DerefMut};

use http::Method;
use k8s_openapi::api::core::v1::ConfigMap;
use keyward::domain::value::seal::{SEED_BYTES, SigningKey};
use keyward::domain::value::token::Token;
use keyward::runtime::clock::Clock;
use keyward::runtime::sealing::{self, Published};
use kube::api::PostParams;
use serde_json::{Value, json};

use super::http::{Answer, Http};
use super::identity::VERIFIER;
use super::objects::from_json;
use super::program::{self, Program};
use super::scene::Scene;
use super::wait::eventually;

const RULES: [&str; 2] = [
    include_str!("../../../charts/keyward/files/verifier-rules.yaml"),
    include_str!("../../../charts/keyward/files/verifier-sealing-rules.yaml"),
];

pub struct Verifier {
    program: Program,
    http: Http,
}

impl Verifier {
    /// Starts one, with a second between flushes unless `arguments` say otherwise, and waits until it is
    /// ready.
    pub async fn start(scene: &Scene, arguments: &[&str]) -> Self {
        has_sealing_keys(scene).await;
        let verifier = Self::launch(scene, arguments, None, None).await;
        verifier.ready().await;
        verifier
    }

    /// Starts one, through the proxy at that URL, and without the rule about that resource.
    pub async fn launch(
        scene: &Scene,
        arguments: &[&str],
        through: Option<&str>,
        without: Option<&'static str>,
    ) -> Self {
        let name = without.map_or_else(|| VERIFIER.to_owned(), |name| format!("verifier-without-{name}"));
        let token = program::identity(scene, &name, &program::rules(&RULES, without)).await;
        let program = Program::spawn(scene, "verifier", &token, through, |command| {
            if !arguments.contains(&"--usage-interval-seconds") {
                command.args(["--usage-interval-seconds", "1"]);
            }
            if !arguments.contains(&"--listen-address") {
                command.args(["--listen-address", "127.0.0.1:0"]);
            }
            // As the chart has it.
            command.args(arguments).env("MIMALLOC_PURGE_DELAY", "-1");
        });
        Self { program, http: Http::default() }
    }

    /// Where it listens, once it does.
    pub async fn address(&self) -> String {
        eventually(&format!("{} listens", self.name), async || {
            let line = self.lines().into_iter().find(|line| line["listening"].is_string());
            line.map(|line| line["listening"].as_str().unwrap().to_owned()).ok_or_else(|| self.log())
        })
        .await
    }

    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let url = format!("http://{}{path}", self.address().await);
        self.http.ask(method, &url, headers, body).await
    }

    /// Asks at a path below `/auth`, with the token and further headers.
    pub async fn auth(&self, path: &str, token: &Token, headers: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {}", token.reveal());
        let headers = [&[("authorization", bearer.as_str())], headers].concat();
        self.ask(Method::GET, &format!("/auth{path}"), &headers, "").await
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path, &[("content-type", "application/json")], &body.to_string()).await
    }

    /// Waits until a token is answered so.
    pub async fn answers(&self, token: &Token, status: u16) {
        eventually(&format!("a token is answered {status}"), async || {
            let answer = self.auth("", token, &[]).await;
            if answer.status == status { Ok(()) } else { Err((answer.status, answer.body)) }
        })
        .await;
    }

    /// Waits for an audit line.
    pub async fn audit_line(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("an audit line {what}"), async || {
            let lines = self.audit_lines();
            lines.iter().find(|line| is_so(line)).cloned().ok_or(lines)
        })
        .await
    }
}

/// A verifier gets ready once a controller has made its public keys known. Where none has, as in tests
/// without one, this stands for it.
async fn has_sealing_keys(scene: &Scene) {
    let key = SigningKey::from_seed(&[1; SEED_BYTES]).unwrap().public();
    let published = Published { keys: vec![key], sealed_since: Some(Clock::System.now()) };
    let object: ConfigMap =
        from_json(json!({"metadata": {"name": sealing::NAME}, "data": published.data().unwrap()}));
    match scene.api().create(&PostParams::default(), &object).await {
        Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {}
        created => drop(created.unwrap()),
    }
}

impl Deref for Verifier {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for Verifier {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}
