//! Kubeconfig files, written as JSON, which is YAML too.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::pki::Identity;

const CLUSTER: &str = "keyward-dev";

/// How a user proves who it is.
pub(crate) enum Credential<'a> {
    Certificate(&'a Identity),
    Token(&'a str),
}

impl Credential<'_> {
    fn to_json(&self) -> Value {
        match self {
            Self::Certificate(identity) => json!({
                "client-certificate-data": STANDARD.encode(&identity.certificate),
                "client-key-data": STANDARD.encode(&identity.key),
            }),
            Self::Token(token) => json!({ "token": token }),
        }
    }
}

/// A kubeconfig with one user and the authority's certificate inside.
pub(crate) fn render(server: &str, authority: &str, user: &str, credential: &Credential<'_>) -> String {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": CLUSTER,
            "cluster": { "server": server, "certificate-authority-data": STANDARD.encode(authority) },
        }],
        "users": [{ "name": user, "user": credential.to_json() }],
        "contexts": [{ "name": CLUSTER, "context": { "cluster": CLUSTER, "user": user } }],
        "current-context": CLUSTER,
    });
    format!("{config:#}\n")
}

/// How the API server reaches a webhook on loopback: without TLS, as nobody else is there.
pub(crate) fn render_webhook(url: &str) -> String {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "webhook", "cluster": { "server": url } }],
        "users": [{ "name": CLUSTER, "user": {} }],
        "contexts": [{ "name": "webhook", "context": { "cluster": "webhook", "user": CLUSTER } }],
        "current-context": "webhook",
    });
    format!("{config:#}\n")
}

/// Whether the name can be part of a file's name and says nothing of another folder.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_token_goes_in_as_it_is() {
        let config = parse(&render("https://127.0.0.1:1", "CA", "bot", &Credential::Token("a\"b")));
        assert_eq!(config["users"][0], json!({ "name": "bot", "user": { "token": "a\"b" } }));
        assert_eq!(config["clusters"][0]["cluster"]["server"], "https://127.0.0.1:1");
        assert_eq!(config["clusters"][0]["cluster"]["certificate-authority-data"], STANDARD.encode("CA"));
        assert_eq!(config["contexts"][0]["name"], config["current-context"]);
        assert_eq!(config["contexts"][0]["context"]["user"], "bot");
    }

    #[test]
    fn a_certificate_goes_in_as_base64() {
        let identity = Identity { certificate: "cert".into(), key: "key".into() };
        let config = parse(&render("s", "CA", "admin", &Credential::Certificate(&identity)));
        let user = json!({
            "client-certificate-data": STANDARD.encode("cert"),
            "client-key-data": STANDARD.encode("key"),
        });
        assert_eq!(config["users"][0]["user"], user);
    }

    #[test]
    fn a_name_stays_in_the_folder() {
        assert!(is_name("ci-bot_1.v2"));
        assert!(!is_name("") && !is_name("a/b") && !is_name("a b"));
    }
}
