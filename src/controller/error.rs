//! Why a pass over an object fails.

use crate::runtime::client::CallError;
use crate::runtime::metrics::RANDOM;

/// Why a pass was not carried through. It is tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The API server refused, or did not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The operating system gave no random bytes.
    #[error("the operating system's random generator")]
    Random(#[from] rand::rngs::SysError),
    /// A status has no form as JSON.
    #[error("the status as JSON")]
    Json(#[source] serde_json::Error),
    /// The Secret changed under our hands.
    #[error("the Secret changed while it was being written again")]
    SecretChanged,
}

impl Error {
    /// A fixed word for metrics.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Call(error) => error.reason(),
            Self::Random(_) => RANDOM,
            Self::Json(_) => "Json",
            Self::SecretChanged => "Conflict",
        }
    }
}
