//! Why a command failed: each a sentence that says what to do about it. It imports nothing of the plugin but
//! `denial`.

use std::time::Duration;

use crd_check::suggest::{Likeness, did_you_mean};

use crate::api::API_VERSION;
use crate::kubectl::denial::Denial;
use crate::runtime::telemetry::with_causes;

const TOKEN_AS_ARGUMENT: &str = "a token must not be an argument, where other users and the shell's history see it; give \
                                 it on standard input, and rotate the one that you gave";

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No kubeconfig, or not one that can be used.
    #[error("{0}")]
    Config(String),
    /// No connection to the API server.
    #[error(
        "cannot reach the cluster at {server}: {cause}; check that it runs, and that it is the one you mean: kubectl \
         config current-context"
    )]
    Unreachable {
        /// Where it should be.
        server: String,
        /// What the connection ended with.
        cause: String,
    },
    /// The API server does not answer.
    #[error(
        "no answer from the cluster at {server} within {} seconds; to wait longer, set --request-timeout",
        .within.as_secs()
    )]
    Timeout {
        /// Where it is.
        server: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// The API server does not take the credentials.
    #[error("the cluster at {server} does not know you ({message}); log in again")]
    Unauthorized {
        /// Where it is.
        server: String,
        /// Its own words.
        message: String,
    },
    /// The kinds are not installed.
    #[error(
        "the cluster at {server} does not serve {API_VERSION}; install Keyward with its Helm chart, or the kinds alone \
         with: keyward crds | kubectl apply --server-side -f -"
    )]
    CrdsMissing {
        /// Where it is.
        server: String,
    },
    /// RBAC does not allow it.
    #[error("not allowed: {0}")]
    Denied(Denial),
    /// There is no object of that name.
    #[error("{0}")]
    NotFound(String),
    /// The API server, or an admission policy, refuses. In its own words, which name the field, what was
    /// given and what is allowed.
    #[error("{}", .0.message)]
    Server(Box<kube::core::Status>),
    /// The way to the API server or its answer is not as it should be.
    #[error("the cluster at {server} cannot be used: {cause}")]
    Client {
        /// Where it is.
        server: String,
        /// What is wrong.
        cause: String,
    },
    /// Refused here, before anything is sent to the cluster.
    #[error("{0}")]
    Refused(String),
    /// Standard output or input is gone.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The YAML writer refuses.
    #[error("it cannot be written as YAML")]
    Yaml(#[from] serde_yaml::ser_error::Error),
    /// It is not what it should be as JSON.
    #[error("it cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// Someone gave a token where others can read it.
    pub fn token_as_argument() -> Self {
        Self::Refused(TOKEN_AS_ARGUMENT.into())
    }

    /// What a call's error means for the user who ran the command.
    pub fn of_call(error: kube::Error, server: &str) -> Self {
        let server = server.to_owned();
        match error {
            kube::Error::Api(status) => Self::of_status(status, server),
            kube::Error::HyperError(_) | kube::Error::Service(_) => {
                Self::Unreachable { server, cause: innermost(&error) }
            }
            kube::Error::Auth(_) => Self::Unauthorized { server, message: with_causes(&error) },
            error => Self::Client { server, cause: with_causes(&error) },
        }
    }

    fn of_status(status: Box<kube::core::Status>, server: String) -> Self {
        match status.code {
            401 => Self::Unauthorized { server, message: status.message },
            403 => match Denial::parse(&status) {
                Some(denial) => Self::Denied(denial),
                None => Self::Server(status),
            },
            // A path that is not served at all is answered in plain text, without the object's name.
            404 if status.details.is_none() => Self::CrdsMissing { server },
            _ => Self::Server(status),
        }
    }

    /// RBAC does not allow it.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied(_))
    }

    /// The API server's own words, where it refused.
    pub fn status(&self) -> Option<&kube::core::Status> {
        match self {
            Self::Server(status) => Some(status),
            _ => None,
        }
    }

    /// Whoever reads the output has enough of it, as `head` does.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

/// The last cause, which says most: those above it only name the layers that it came through.
fn innermost(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}

/// Those of `names` that someone who typed `name` may have meant, the nearest first and at most three.
fn near<'a>(name: &str, names: &'a [String]) -> Vec<&'a str> {
    const SHOWN: usize = 3;
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    let mut near = did_you_mean(name, names, Likeness::Similar);
    near.truncate(SHOWN);
    near
}

/// That there is no object of the name, and which there are that may have been meant.
pub fn not_found(kind: &str, name: &str, namespace: &str, names: Option<&[String]>) -> Error {
    let hint = match names.map(|names| (names.is_empty(), near(name, names))) {
        Some((true, _)) => "; there is none at all".to_owned(),
        Some((false, near)) if !near.is_empty() => {
            let near: Vec<String> = near.iter().map(|name| format!("\"{name}\"")).collect();
            format!("; did you mean {}?", near.join(" or "))
        }
        Some((false, _)) | None => String::new(),
    };
    Error::NotFound(format!("there is no {kind} \"{name}\" in namespace \"{namespace}\"{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(status: serde_json::Value) -> String {
        let status = serde_json::from_value(status).unwrap();
        Error::of_call(kube::Error::Api(Box::new(status)), "https://cluster").to_string()
    }

    #[test]
    fn a_cluster_without_the_kinds_is_told_from_one_without_the_object() {
        // The API server answers a path that it does not serve with this text.
        let missing =
            of(json!({"code": 404, "message": "404 page not found", "reason": "Failed to parse error data"}));
        assert_eq!(
            missing,
            "the cluster at https://cluster does not serve iam.keyward.dev/v1alpha1; install Keyward with its Helm \
             chart, or the kinds alone with: keyward crds | kubectl apply --server-side -f -"
        );
        let message = "secrets \"deploy\" not found";
        let details = json!({"name": "deploy", "kind": "secrets"});
        assert_eq!(of(json!({"code": 404, "message": message, "details": details})), message);
    }

    #[test]
    fn what_the_api_server_has_against_an_object_is_said_in_its_own_words() {
        let message = "AccessKey.iam.keyward.dev \"deploy\" is invalid: spec.revision: Invalid value: 0: spec.revision in \
                       body should be greater than or equal to 1";
        assert_eq!(of(json!({"code": 422, "message": message, "reason": "Invalid"})), message);
        let message = "accesskeys.iam.keyward.dev \"deploy\" is forbidden: ValidatingAdmissionPolicy \
                       'accesskeys.iam.keyward.dev' with binding 'accesskeys.iam.keyward.dev' denied request: user \
                       \"bob\" may not create AccessKey.iam.keyward.dev \"deploy\"";
        assert_eq!(of(json!({"code": 403, "message": message, "reason": "Forbidden"})), message);
    }

    #[test]
    fn who_is_not_logged_in_learns_it() {
        assert_eq!(
            of(json!({"code": 401, "message": "Unauthorized", "reason": "Unauthorized"})),
            "the cluster at https://cluster does not know you (Unauthorized); log in again"
        );
    }

    #[test]
    fn a_name_that_is_nearly_right_is_put_right() {
        let names: Vec<String> = ["ci-bot", "ci-bot-2", "billing-bot", "deploy"].map(String::from).into();
        for (typed, meant) in [
            ("ci-bto", &["ci-bot", "ci-bot-2"][..]),
            ("deploi", &["deploy"]),
            ("billing", &["billing-bot"]),
            ("zzz", &[]),
            ("", &[]),
        ] {
            assert_eq!(near(typed, &names), meant, "{typed}");
        }
        assert_eq!(
            not_found("ServiceAccount.iam.keyward.dev", "deploi", "shop", Some(&names)).to_string(),
            "there is no ServiceAccount.iam.keyward.dev \"deploi\" in namespace \"shop\"; did you mean \"deploy\"?"
        );
        assert_eq!(
            not_found("AccessKey.iam.keyward.dev", "x", "shop", Some(&[])).to_string(),
            "there is no AccessKey.iam.keyward.dev \"x\" in namespace \"shop\"; there is none at all"
        );
    }
}
