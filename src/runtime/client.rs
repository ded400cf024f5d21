//! The client of the API server: its credentials, and a bound on every call.

use std::borrow::Cow;
use std::time::Duration;

use kube::{Client, Config};

/// How long any one call may take. Long enough for a slow API server, and shorter than a leader lease.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The API server, or the way to it, refused.
    #[error("{operation}: {source}")]
    Api {
        /// What was being done.
        operation: Cow<'static, str>,
        /// The refusal.
        #[source]
        source: Box<kube::Error>,
    },
    /// No answer came in time.
    #[error("{operation}: no answer within {} seconds", CALL_TIMEOUT.as_secs())]
    Timeout {
        /// What was being done.
        operation: Cow<'static, str>,
    },
}

/// A write that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// What was being done.
    pub operation: &'a str,
    /// The API server's own words.
    pub message: &'a str,
    /// RBAC does not allow it: `User "…" cannot create resource "…"`. Nothing but these words tells that from
    /// a policy or a quota.
    pub by_rbac: bool,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Neither a kubeconfig nor a pod's service account was found.
    #[error("no cluster to talk to: set KUBECONFIG, or run in a pod ({0})")]
    Config(#[from] kube::config::InferConfigError),
    /// The configuration cannot be used.
    #[error("the cluster's configuration cannot be used")]
    Client(#[source] Box<kube::Error>),
}

/// Says which TLS library is used: two of them in the tree would leave it open.
pub fn choose_tls() {
    // An error would say that it was said before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client for the cluster that the kubeconfig or the pod's service account names. It does not retry by
/// itself: every object has a backoff of its own.
///
/// # Errors
/// When no configuration is found, or it cannot be used.
pub async fn connect() -> Result<Client, ConnectError> {
    let mut config = Config::infer().await?;
    config.default_retry = false;
    config.connect_timeout = Some(CALL_TIMEOUT);
    Client::try_from(config).map_err(|error| ConnectError::Client(Box::new(error)))
}

/// Runs `call` for at most [`CALL_TIMEOUT`].
///
/// # Errors
/// As the call's own, with what was being done; or that no answer came in time.
pub async fn bounded<T>(
    operation: impl Into<Cow<'static, str>>,
    call: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, CallError> {
    match tokio::time::timeout(CALL_TIMEOUT, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(source)) => Err(CallError::Api { operation: operation.into(), source: Box::new(source) }),
        Err(_) => Err(CallError::Timeout { operation: operation.into() }),
    }
}

impl CallError {
    /// The API server's own words, where it answered.
    pub fn status(&self) -> Option<&kube::core::Status> {
        match self {
            Self::Api { source, .. } => match source.as_ref() {
                kube::Error::Api(status) => Some(status),
                _ => None,
            },
            Self::Timeout { .. } => None,
        }
    }

    /// The object is not there.
    pub fn is_not_found(&self) -> bool {
        // By code: for a group that is not served at all, the API server's answer carries no reason.
        self.status().is_some_and(|status| status.code == 404)
    }

    /// The object has changed since it was read.
    pub fn is_conflict(&self) -> bool {
        self.status().is_some_and(kube::core::Status::is_conflict)
    }

    /// An object of that name exists.
    pub fn is_already_exists(&self) -> bool {
        self.status().is_some_and(kube::core::Status::is_already_exists)
    }

    /// The API server, or an admission webhook behind it, does not let this in as it is.
    pub fn is_refusal(&self) -> bool {
        self.status().is_some_and(|status| [400, 403, 422].contains(&status.code))
    }

    /// What the API server refused, and its own words; `None` where it did not refuse, or what was to be
    /// written is going away.
    pub fn refusal(&self) -> Option<Refusal<'_>> {
        let Self::Api { operation, .. } = self else { return None };
        let status = self.status().filter(|_| !self.is_namespace_terminating())?;
        // A webhook that does not answer is an error of the API server's.
        let refused = self.is_refusal()
            || status.code == 413
            || (status.code == 500 && status.message.contains(" webhook "));
        let by_rbac = status.is_forbidden() && status.message.contains(" cannot ");
        refused.then_some(Refusal { operation, message: &status.message, by_rbac })
    }

    /// The namespace is being deleted, so nothing can be created in it any more.
    pub fn is_namespace_terminating(&self) -> bool {
        let causes = self.status().and_then(|status| status.details.as_ref()).map(|details| &details.causes);
        causes.is_some_and(|causes| causes.iter().any(|cause| cause.reason == "NamespaceTerminating"))
    }

    /// Every word of [`Self::reason`].
    pub const REASONS: [&str; 8] = [
        "Conflict",
        "Forbidden",
        "Invalid",
        "NamespaceTerminating",
        "NotFound",
        "Refused",
        "Timeout",
        "Unreachable",
    ];

    /// A fixed word for metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Timeout { .. } => "Timeout",
            Self::Api { .. } if self.is_conflict() => "Conflict",
            Self::Api { .. } if self.is_not_found() => "NotFound",
            Self::Api { .. } if self.is_namespace_terminating() => "NamespaceTerminating",
            Self::Api { .. } => match self.status() {
                Some(status) if status.is_forbidden() => "Forbidden",
                Some(status) if status.is_invalid() => "Invalid",
                Some(_) => "Refused",
                None => "Unreachable",
            },
        }
    }
}

/// `result`, with "not found" as `None`.
///
/// # Errors
/// Any other error of `result`.
pub fn found<T>(result: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
