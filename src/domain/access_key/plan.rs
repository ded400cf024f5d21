//! The steps that a decision about an access key may ask for.

use chrono::{DateTime, Utc};

use crate::api::access_key::{AccessKeyStatus, PreviousTokenStatus};
use crate::api::shared::AuditEntry;
use crate::domain::access_key::publish::secrets::Tokens;
use crate::domain::access_key::record::Record;
use crate::domain::plan;
use crate::domain::refused::Step;

/// What to do about an access key.
pub type Plan = plan::Plan<Action>;

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Mint a token and write it into the Secret. Nothing follows it in a plan: look again with the Secret it
    /// wrote.
    Issue(Box<Issue>),
    /// Write the Secret again as requested, with the token that is in it.
    RepairSecret(Box<Record>),
    /// Take the token out of the Secret.
    EmptySecret,
    /// Delete the Secret of that UID, which another key left behind. Nothing follows it in a plan: look
    /// again.
    DeleteLeftBehind {
        /// Its UID.
        uid: String,
    },
    /// Write the Secrets of `spec.publish` as they should be, and delete those that should not exist.
    Publish(Box<Tokens>),
    /// Delete every published Secret.
    Unpublish,
    /// Report it in an Event and a line of the audit stream.
    Audit(Box<AuditEntry>),
    /// Record it.
    WriteStatus(Box<AccessKeyStatus>),
    /// Delete the key, if it still has this UID.
    DeleteKey,
}

impl Action {
    /// What it writes, apart from the record of it.
    pub fn step(&self) -> Option<Step> {
        match self {
            Self::Issue(_) | Self::RepairSecret(_) | Self::EmptySecret | Self::DeleteLeftBehind { .. } => {
                Some(Step::Secret)
            }
            Self::Publish(_) | Self::Unpublish => Some(Step::Published),
            Self::DeleteKey => Some(Step::Key),
            Self::Audit(_) | Self::WriteStatus(_) => None,
        }
    }
}

/// A token to mint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The revision it is for.
    pub revision: i64,
    /// When it is issued.
    pub issued_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// The service account it is for.
    pub service_account_uid: String,
    /// Its serial.
    pub serial: i64,
    /// The place of the key's seat, where that has to name the serial before the token exists: an older token
    /// of the key may still lie somewhere.
    pub seat: Option<usize>,
    /// The version of the Secret to replace; `None` creates it.
    pub replaces: Option<String>,
    /// Record it as `nextToken` first: where a token is good already, its successor must be good before it is
    /// published.
    pub stage: bool,
    /// What stays good of the present token once this one has succeeded it.
    pub previous: Option<PreviousTokenStatus>,
}
