//! The outcome of a decision about an access key, before it is a plan.

use chrono::{DateTime, Utc};

use crate::api::Reason;
use crate::api::access_key::KeyState;
use crate::domain::access_key::messages::trouble;
use crate::domain::access_key::plan::{Action, Issue};
use crate::domain::access_key::publish::secrets::Tokens;
use crate::domain::access_key::token;
use crate::domain::conditions::Summary;

/// How long to wait before looking again whether a foreign Secret is gone, in seconds. Such Secrets are not
/// watched.
pub(super) const CONFLICT_RECHECK_SECONDS: i64 = 15;

/// The outcome of a decision, before it is a status.
pub(super) enum Decision {
    /// Someone else has to decide first; leave all as it is.
    Wait { until: Option<DateTime<Utc>> },
    /// Mint a token.
    Issue(Box<Issue>),
    /// Make room for the Secret.
    Clear {
        /// UID of the one in its place.
        uid: String,
    },
    /// Bring the published Secrets up to date, then decide again.
    Publish(Box<Tokens>),
    /// Record this.
    Settle(Box<Settled>),
}

/// What is so.
pub(super) struct Settled {
    pub(super) state: KeyState,
    pub(super) summary: Summary,
    pub(super) token: Option<token::Recorded>,
    pub(super) then: Option<Action>,
    pub(super) look_again_at: Option<DateTime<Utc>>,
}

impl Settled {
    pub(super) fn new(state: KeyState, summary: Summary) -> Self {
        Self { state, summary, token: None, then: None, look_again_at: None }
    }

    pub(super) fn rejected(reason: Reason, message: String) -> Self {
        Self::new(KeyState::Rejected, trouble(false, (reason, message)))
    }

    pub(super) fn decision(state: KeyState, summary: Summary) -> Decision {
        Self::new(state, summary).into()
    }
}

impl From<Settled> for Decision {
    fn from(settled: Settled) -> Self {
        Self::Settle(Box::new(settled))
    }
}
