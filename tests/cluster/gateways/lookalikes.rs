//! What a client sends to be taken for somebody else: headers that an application takes for the identity's,
//! and ways to have those left out.

use http::Method;
use keyward::verifier::http::reference;
use serde_json::Value;

use crate::gateways::cases::{ON_BEHALF_OF, Stage, values};
use crate::gateways::cgi::{CgiApplication, Interface};
use crate::gateways::gateway::Running;

const SPOOFED: &str = "spoofed";

impl Stage {
    /// No name that CGI makes the same of reaches an application.
    pub async fn no_lookalike_of_a_header_reaches_an_application(&mut self, verifier: &str) {
        let lookalikes: Vec<String> =
            reference::identity().flat_map(|(name, _)| lookalikes_of(name)).collect();
        let sent: Vec<(&str, &str)> = lookalikes.iter().map(|name| (name.as_str(), SPOOFED)).collect();
        for interface in [Interface::Wsgi, Interface::Cgi] {
            let application = CgiApplication::start(interface);
            let name = format!("{}-{}", self.scene.namespace, interface.name());
            let gateway = Running::start(self.gateway.kind, &name, verifier, &application.address, &[]);
            let before = std::mem::replace(&mut self.gateway, gateway);
            self.answers("/", &self.keys.good, 200).await;
            // A few at a time, since programs let only so many in.
            for sent in sent.chunks(20) {
                let answer = self.get("/", &self.keys.good, sent).await;
                assert_eq!(answer.status, 200, "{interface:?}: {}", answer.body);
                self.is_told_who_it_is(&answer.json(), "", interface);
            }
            let ann = [(ON_BEHALF_OF, "ann@example.org"), ("X-Keyward_On-Behalf-Of", "boss@example.org")];
            let answer = self.get("/expenses/", &self.keys.good, &ann).await;
            assert_eq!(answer.status, 200, "{interface:?}: {}", answer.body);
            self.is_told_who_it_is(&answer.json(), "ann@example.org", interface);
            self.gateway = before;
        }
    }

    fn is_told_who_it_is(&self, variables: &Value, user: &str, interface: Interface) {
        let actor = format!("keyward:{}:good", self.scene.namespace);
        let subject = if user.is_empty() { &actor } else { user };
        let value = |name: &str| variables[name].as_str().unwrap_or_default();
        assert_eq!(value("HTTP_X_KEYWARD_SUBJECT"), subject, "{interface:?}: {variables}");
        assert_eq!(value("HTTP_X_KEYWARD_ACTOR"), actor, "{interface:?}");
        assert_eq!(value("HTTP_X_KEYWARD_ON_BEHALF_OF"), user, "{interface:?}");
        assert!(!variables.to_string().contains(SPOOFED), "{interface:?}: {variables}");
    }

    /// RFC 9110 section 7.6.1: a gateway leaves out the headers that `Connection` names.
    pub async fn no_client_has_the_identity_left_out(&self) {
        let actor = format!("keyward:{}:good", self.scene.namespace);
        for (name, _) in reference::identity() {
            for connection in [name.to_owned(), format!("keep-alive, {}", name.to_ascii_uppercase())] {
                let headers = [("connection", connection.as_str())];
                let before = self.application.requests();
                let answer = self.get("/", &self.keys.good, &headers).await;
                if answer.status == 200 {
                    self.identifies(&answer.json(), &self.keys.good, [&actor, &actor, "", "", ""]);
                } else {
                    assert!((400..500).contains(&answer.status), "{connection}: {}", answer.status);
                    assert_eq!(self.application.requests(), before, "{connection}");
                }
            }
        }
        // Who has the name of another left out has named nobody, or that one all the same.
        let headers = [(ON_BEHALF_OF, "ann@example.org"), ("connection", ON_BEHALF_OF)];
        let answer = self.get("/expenses/", &self.keys.good, &headers).await;
        if answer.status == 200 {
            let said = answer.json();
            let user = values(&said, ON_BEHALF_OF).concat();
            assert!(["", "ann@example.org"].contains(&user.as_str()), "{user}");
            let subject = if user.is_empty() { actor.as_str() } else { user.as_str() };
            let expected = [subject, &actor, "Process/expense-claims", "Member", &user];
            self.identifies(&said, &self.keys.good, expected);
        } else {
            assert!((400..500).contains(&answer.status), "{}", answer.status);
        }
    }

    /// What is sent twice is refused, and what is empty is nothing.
    pub async fn what_is_sent_twice_or_empty(&self) {
        let before = self.application.requests();
        let two = [(ON_BEHALF_OF, "ann@example.org"), (ON_BEHALF_OF, "ben@example.org")];
        let answer = self.get("/expenses/", &self.keys.good, &two).await;
        assert!([400, 403].contains(&answer.status), "{}: {}", answer.status, answer.body);
        let reveal = self.keys.good.reveal();
        let answer = self.ask(Method::GET, "/", &[("x-api-key", reveal), ("x-api-key", reveal)], "").await;
        assert_eq!(answer.status, 401);
        assert_eq!(self.application.requests(), before);

        let actor = format!("keyward:{}:good", self.scene.namespace);
        let identity = reference::identity().map(|(name, _)| name);
        let empty: Vec<(&str, &str)> = identity.flat_map(|name| [(name, ""), (name, "")]).collect();
        // Envoy joins them by a comma, which no name has.
        let without_user: Vec<(&str, &str)> =
            empty.iter().filter(|(name, _)| *name != ON_BEHALF_OF).copied().collect();
        let answer = self.get("/", &self.keys.good, &without_user).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.identifies(&answer.json(), &self.keys.good, [&actor, &actor, "", "", ""]);
        let answer = self.get("/", &self.keys.good, &[(ON_BEHALF_OF, "")]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.identifies(&answer.json(), &self.keys.good, [&actor, &actor, "", "", ""]);
    }

    /// The verifier gets only what it reads, and takes no more than 64.
    pub async fn many_headers_of_a_client_are_let_through(&self) {
        let names: Vec<String> = (0..80).map(|number| format!("x-own-{number}")).collect();
        let headers: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
        let answer = self.get("/", &self.keys.good, &headers).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.json().to_string().contains("x-own-79"), "the application gets them all");
    }
}

/// Names of which CGI makes the same variable.
fn lookalikes_of(name: &str) -> Vec<String> {
    let (start, end) = name.split_at(name.rfind('-').unwrap());
    vec![
        name.replace('-', "_"),
        name.replacen('-', "_", 1),
        format!("{start}{}", end.replace('-', "_")),
        name.to_ascii_uppercase().replace('-', "_"),
        format!("{start}{}", end.replace('-', ".")),
        name.replacen('-', ".", 1),
    ]
}
