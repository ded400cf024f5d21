//! Why a pass over an object fails.

use crate::api::Reason;
use crate::api::shared::RefusedWrite;
use crate::domain::refused::Step;
use crate::domain::value::text::{cut, one_line};
use crate::domain::value::token::withheld;
use crate::runtime::client::{CallError, Refusal};
use crate::runtime::metrics::RANDOM;

/// The most that status keeps of what the API server said, in bytes.
const MESSAGE_LENGTH: usize = 900;

/// Why a pass was not carried through. It is tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The API server refused, or did not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// As [`Self::Call`], about a Secret of `spec.publish`.
    #[error(transparent)]
    Publish(CallError),
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
    /// As one about a Secret of `spec.publish`.
    pub(super) fn of_publishing(self) -> Self {
        match self {
            Self::Call(error) => Self::Publish(error),
            other => other,
        }
    }

    /// What the API server refused of `step`, for status; `None` where it did not.
    pub(super) fn refused(&self, step: Step) -> Option<RefusedWrite> {
        let (error, step) = match self {
            Self::Call(error) => (error, step),
            Self::Publish(error) => (error, Step::Published),
            Self::Random(_) | Self::Json(_) | Self::SecretChanged => return None,
        };
        let Refusal { operation, message, by_rbac } = error.refusal()?;
        Some(RefusedWrite {
            reason: Some(if by_rbac { Reason::PermissionDenied } else { step.refused() }),
            operation: operation.to_owned(),
            message: cut(&one_line(&withheld(message)), MESSAGE_LENGTH),
        })
    }

    /// What was planned no longer fits what is there, so nothing of it may be taken for the truth.
    pub(super) fn outdates_the_plan(&self) -> bool {
        matches!(self.reason(), "Conflict" | "NotFound" | "NamespaceTerminating")
    }

    /// A fixed word for metrics.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Call(error) | Self::Publish(error) => error.reason(),
            Self::Random(_) => RANDOM,
            Self::Json(_) => "Json",
            Self::SecretChanged => "Conflict",
        }
    }
}
