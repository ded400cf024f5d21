//! What to do about an access key: `plan(observed, now) -> Plan`.
//!
//! A status is only ever computed from what the Secret was found to hold, so the first pass, a retry and the repair
//! after a crash take the same way: mint into the Secret, look again, write the status.

use chrono::{DateTime, Utc};

use crate::api::AccessKeySpec;
use crate::api::access_key::{AccessKeyStatus, KeyState, TokenStatus};
use crate::api::shared::{AuditEntry, DesiredState};
use crate::domain::audit::Target;
use crate::domain::conditions::{Progress, Summary};
use crate::domain::limits::Limits;
use crate::domain::reason::Reason;
use crate::domain::secret::{Holds, Owner, Record};
use crate::domain::time::{rfc3339, whole_seconds};

mod status;
mod token;

pub use token::violation;

/// How long to wait before looking again whether a foreign Secret is gone, in seconds. Such Secrets are not watched.
const CONFLICT_RECHECK_SECONDS: i64 = 15;

/// Everything that the decision about one key reads.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The key.
    pub key: Key,
    /// Its service account.
    pub service_account: Parent,
    /// The limits of its account.
    pub limits: Limits,
    /// Its Secret.
    pub secret: SecretView,
}

/// The key itself.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its namespace, which is its account.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Its `metadata.generation`.
    pub generation: i64,
    /// The version it was observed at.
    pub resource_version: String,
    /// What it asks for.
    pub spec: AccessKeySpec,
    /// What was recorded.
    pub status: AccessKeyStatus,
}

impl Key {
    /// The key as the owner of its Secret.
    pub fn owner(&self) -> Owner<'_> {
        Owner {
            spec: &self.spec,
            name: &self.name,
            account: &self.namespace,
        }
    }

    fn target(&self) -> Target {
        Target {
            kind: "AccessKey",
            name: self.name.clone(),
            uid: self.uid.clone(),
        }
    }
}

/// The service account that a key names.
#[derive(Clone, Debug)]
pub enum Parent {
    /// There is none, and the key was issued for none.
    Missing,
    /// The one that the key was issued for is gone; one of the same name may exist.
    Gone,
    /// It exists.
    Found(FoundParent),
}

/// A service account that exists.
#[derive(Clone, Debug)]
pub struct FoundParent {
    /// Its UID.
    pub uid: String,
    /// Whether a person switched it off.
    pub state: DesiredState,
    /// Whether its account admits it.
    pub admission: Admission,
    /// Whether it has given the key a seat.
    pub seated: bool,
    /// How many seats it has given.
    pub seats_taken: usize,
    /// Keys it names as ones that could go.
    pub removable: Vec<String>,
}

/// Whether an account admits a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It has a seat.
    Admitted,
    /// Nothing is decided yet.
    Undecided,
    /// It was refused, for this reason.
    Rejected(Reason, String),
}

/// The Secret of the key's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretView {
    /// There is none.
    Absent,
    /// It does not belong to the key.
    Foreign,
    /// It belongs to the key.
    Owned(OwnedSecret),
}

/// A Secret that belongs to the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedSecret {
    /// Its version.
    pub resource_version: String,
    /// What its annotations record.
    pub record: Option<Record>,
    /// What it holds.
    pub holds: Holds,
}

/// What to do, in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The steps. Each may be the last one before a crash.
    pub actions: Vec<Action>,
    /// When to look again, if nothing happens before.
    pub look_again_at: Option<DateTime<Utc>>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Mint a token and write it into the Secret. Nothing follows it in a plan: look again with the Secret it wrote.
    Issue(Issue),
    /// Write the Secret again as asked for, with the token that is in it.
    RepairSecret,
    /// Take the token out of the Secret.
    EmptySecret,
    /// Tell it in an Event and a line of the audit stream.
    Audit(AuditEntry),
    /// Record it.
    WriteStatus(Box<AccessKeyStatus>),
    /// Delete the key, if it still has this UID.
    DeleteKey,
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
    /// The version of the Secret to replace; `None` creates it.
    pub replaces: Option<String>,
    /// Record it as `nextToken` first: where a token is good already, its successor must be good before it is
    /// published.
    pub stage: bool,
}

/// Whether the Secret has to be read before anything is planned: its metadata alone is watched.
pub fn needs_inspection(
    status: &AccessKeyStatus,
    generation: i64,
    seen: Option<(&str, bool)>,
    now: DateTime<Utc>,
) -> bool {
    match seen {
        // It may be that the label by which it is watched was taken off.
        None => status.token.is_some() || status.observed_generation == generation,
        Some((version, has_record)) => {
            let expired = status.token.as_ref().is_some_and(|token| token.expires_at <= now);
            let checked = status.secret_resource_version.as_deref() == Some(version)
                && status.observed_generation == generation;
            !checked && (has_record || !expired || status.observed_generation != generation)
        }
    }
}

/// Decides. `now` is cut to whole seconds.
pub fn plan(observed: &Observed, now: DateTime<Utc>) -> Plan {
    let now = whole_seconds(now);
    let verdict = match &observed.service_account {
        Parent::Gone => gone(observed),
        Parent::Missing => missing(observed),
        Parent::Found(parent) => match token::recorded(observed, parent, now) {
            None => unissued(observed, parent, now),
            Some(token) => issued(observed, parent, token, now),
        },
    };
    status::finish(observed, verdict, now)
}

/// The outcome of a decision, before it is a status.
enum Verdict {
    /// Someone else has to decide first; leave all as it is.
    Wait { until: Option<DateTime<Utc>> },
    /// Mint a token.
    Issue(Issue),
    /// Record this.
    Settle(Box<Settled>),
}

/// What is so.
struct Settled {
    state: KeyState,
    summary: Summary,
    token: Option<token::Recorded>,
    then: Option<Action>,
    look_again_at: Option<DateTime<Utc>>,
}

impl Settled {
    fn verdict(state: KeyState, summary: Summary) -> Verdict {
        Verdict::Settle(Box::new(Self {
            state,
            summary,
            token: None,
            then: None,
            look_again_at: None,
        }))
    }
}

fn rejected(reason: Reason, message: String) -> Verdict {
    let summary = Summary {
        ready: false,
        active: Some(false),
        progress: Progress::Stalled,
        reason,
        message,
    };
    Settled::verdict(KeyState::Rejected, summary)
}

fn gone(observed: &Observed) -> Verdict {
    let message = format!(
        "{} that the key was issued for was deleted, so the key is deleted too",
        service_account(&observed.key)
    );
    match rejected(Reason::ServiceAccountDeleted, message) {
        Verdict::Settle(settled) => Verdict::Settle(Box::new(Settled {
            then: Some(Action::DeleteKey),
            ..*settled
        })),
        other => other,
    }
}

fn missing(observed: &Observed) -> Verdict {
    let summary = Summary {
        ready: false,
        active: Some(false),
        progress: Progress::Reconciling,
        reason: Reason::ServiceAccountNotFound,
        message: format!(
            "{} not found in namespace \"{}\"",
            service_account(&observed.key),
            observed.key.namespace
        ),
    };
    Settled::verdict(KeyState::Pending, summary)
}

fn unissued(observed: &Observed, parent: &FoundParent, now: DateTime<Utc>) -> Verdict {
    let Observed {
        key, limits, secret, ..
    } = observed;
    if key.spec.state == DesiredState::Inactive {
        return Settled::verdict(KeyState::Inactive, inactive());
    }
    if let Some(verdict) = refused_by_parent(key, parent) {
        return verdict;
    }
    if let Err((reason, message)) = token::lifetime(&key.spec, limits, now) {
        return rejected(reason, message);
    }
    if !parent.seated {
        return without_seat(key, parent, limits);
    }
    match (token::lifetime(&key.spec, limits, now), secret) {
        (Err((reason, message)), _) => rejected(reason, message),
        (Ok(_), SecretView::Foreign) => secret_conflict(observed, now),
        (Ok(expires_at), SecretView::Absent) => {
            Verdict::Issue(order(observed, parent, expires_at, None, now))
        }
        (Ok(expires_at), SecretView::Owned(secret)) => {
            Verdict::Issue(order(observed, parent, expires_at, Some(secret), now))
        }
    }
}

fn refused_by_parent(key: &Key, parent: &FoundParent) -> Option<Verdict> {
    let name = service_account(key);
    if parent.state == DesiredState::Inactive {
        let message = format!("{name} is inactive, so it gets no new keys; switch it on to proceed");
        return Some(rejected(Reason::ServiceAccountInactive, message));
    }
    match &parent.admission {
        Admission::Admitted => None,
        Admission::Undecided => Some(Verdict::Wait { until: None }),
        Admission::Rejected(_, why) => Some(rejected(
            Reason::ServiceAccountRejected,
            format!("{name} is not admitted itself: {why}"),
        )),
    }
}

fn without_seat(key: &Key, parent: &FoundParent, limits: &Limits) -> Verdict {
    if parent.seats_taken < limits.access_keys {
        return Verdict::Wait { until: None };
    }
    let hint = match parent.removable.as_slice() {
        [] => String::new(),
        names => format!(
            ", for example {}",
            names
                .iter()
                .map(|n| format!("\"{n}\""))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    let message = format!(
        "{} already has {} of {} access keys; delete one to proceed{hint}",
        service_account(key),
        parent.seats_taken,
        limits.access_keys
    );
    rejected(Reason::KeyLimitExceeded, message)
}

fn secret_conflict(observed: &Observed, now: DateTime<Utc>) -> Verdict {
    let message = format!(
        "Secret \"{}\" exists and is not owned by this AccessKey; delete it or choose another `secret.name`",
        observed.key.owner().secret_name()
    );
    match rejected(Reason::SecretConflict, message) {
        Verdict::Settle(settled) => {
            let look_again_at = Some(now + chrono::TimeDelta::seconds(CONFLICT_RECHECK_SECONDS));
            Verdict::Settle(Box::new(Settled {
                look_again_at,
                ..*settled
            }))
        }
        other => other,
    }
}

fn order(
    observed: &Observed,
    parent: &FoundParent,
    expires_at: DateTime<Utc>,
    secret: Option<&OwnedSecret>,
    now: DateTime<Utc>,
) -> Issue {
    Issue {
        revision: observed.key.spec.revision,
        issued_at: now,
        expires_at,
        service_account_uid: parent.uid.clone(),
        replaces: secret.map(|secret| secret.resource_version.clone()),
        stage: observed.key.status.token.is_some(),
    }
}

fn issued(observed: &Observed, parent: &FoundParent, token: token::Recorded, now: DateTime<Utc>) -> Verdict {
    let Observed { key, limits, .. } = observed;
    let current = token.current.clone();
    let expired = current.expires_at <= now;
    let renewal = token::renewal(observed, &current, now);
    let state = if key.spec.state == DesiredState::Inactive {
        (KeyState::Inactive, inactive())
    } else if expired && renewal == token::Renewal::NotDue {
        (KeyState::Expired, expired_summary(&current))
    } else if parent.state == DesiredState::Inactive {
        (KeyState::Inactive, service_account_inactive(key))
    } else if let Some(verdict) = refused_by_parent(key, parent) {
        return with_token(verdict, token, expired, observed);
    } else if !parent.seated {
        return with_token(without_seat(key, parent, limits), token, expired, observed);
    } else {
        return in_force(observed, parent, token, renewal, now);
    };
    let (state, summary) = state;
    with_token(Settled::verdict(state, summary), token, expired, observed)
}

/// Keeps the recorded token with a state that is not in force, and takes it out of the Secret once it has expired.
fn with_token(verdict: Verdict, token: token::Recorded, expired: bool, observed: &Observed) -> Verdict {
    let expires_at = token.current.expires_at;
    match verdict {
        Verdict::Settle(settled) => Verdict::Settle(Box::new(Settled {
            then: (expired && holds_token(&observed.secret)).then_some(Action::EmptySecret),
            look_again_at: (!expired).then_some(expires_at),
            token: Some(token),
            ..*settled
        })),
        Verdict::Wait { .. } => Verdict::Wait {
            until: (!expired).then_some(expires_at),
        },
        issue @ Verdict::Issue(_) => issue,
    }
}

fn holds_token(secret: &SecretView) -> bool {
    match secret {
        SecretView::Owned(OwnedSecret { record, holds, .. }) => {
            record.is_some() || matches!(holds, Holds::Token { .. })
        }
        SecretView::Absent | SecretView::Foreign => false,
    }
}

/// The key may authenticate: see that its Secret is right and its renewal in time.
fn in_force(
    observed: &Observed,
    parent: &FoundParent,
    token: token::Recorded,
    renewal: token::Renewal,
    now: DateTime<Utc>,
) -> Verdict {
    let current = token.current.clone();
    let again = Some(token::next_look(observed, &token, now));
    let expired = current.expires_at <= now;
    let owned = match &observed.secret {
        SecretView::Owned(secret) => Some(secret),
        SecretView::Absent => None,
        SecretView::Foreign => return lost_secret(observed, token, expired, now),
    };
    let mut trouble = None;
    match renewal {
        token::Renewal::Due(_) if token::staging(observed, now).is_some() => {
            return Verdict::Wait {
                until: token::staging(observed, now),
            };
        }
        token::Renewal::Due(Ok(expires_at)) => {
            return Verdict::Issue(order(observed, parent, expires_at, owned, now));
        }
        token::Renewal::Due(Err(why)) => trouble = Some(why),
        token::Renewal::NotDue => {}
    }
    if expired {
        let verdict = match trouble {
            Some((reason, message)) => {
                let summary = Summary {
                    ready: false,
                    active: Some(false),
                    progress: Progress::Stalled,
                    reason,
                    message,
                };
                Settled::verdict(KeyState::Expired, summary)
            }
            None => Settled::verdict(KeyState::Expired, expired_summary(&current)),
        };
        return with_token(verdict, token, true, observed);
    }
    let then = match owned.map(|secret| &secret.holds) {
        Some(Holds::Unread) => None,
        Some(Holds::Token { sha256, as_asked }) if *sha256 == current.sha256 => {
            (!as_asked).then_some(Action::RepairSecret)
        }
        Some(Holds::Nothing | Holds::Token { .. }) | None => {
            if let Some(until) = token::staging(observed, now) {
                return Verdict::Wait { until: Some(until) };
            }
            let same = order(observed, parent, current.expires_at, owned, now);
            return Verdict::Issue(Issue {
                revision: current.revision,
                ..same
            });
        }
    };
    let summary = trouble.map_or_else(
        || issued_summary(&current),
        |(reason, message)| Summary {
            ready: false,
            active: Some(true),
            progress: Progress::Stalled,
            reason,
            message,
        },
    );
    Verdict::Settle(Box::new(Settled {
        state: KeyState::Active,
        summary,
        token: Some(token),
        then,
        look_again_at: again,
    }))
}

/// Someone put a Secret of their own in place of the key's. The token still authenticates whoever holds it.
fn lost_secret(observed: &Observed, token: token::Recorded, expired: bool, now: DateTime<Utc>) -> Verdict {
    match secret_conflict(observed, now) {
        Verdict::Settle(settled) if !expired => Verdict::Settle(Box::new(Settled {
            state: KeyState::Active,
            summary: Summary {
                active: Some(true),
                ..settled.summary
            },
            token: Some(token),
            ..*settled
        })),
        Verdict::Settle(settled) => Verdict::Settle(Box::new(Settled {
            token: Some(token),
            ..*settled
        })),
        other => other,
    }
}

fn inactive() -> Summary {
    Summary {
        ready: true,
        active: Some(false),
        progress: Progress::Settled,
        reason: Reason::Inactive,
        message: "Key is inactive as requested by spec.state".into(),
    }
}

fn service_account_inactive(key: &Key) -> Summary {
    Summary {
        ready: true,
        active: Some(false),
        progress: Progress::Settled,
        reason: Reason::ServiceAccountInactive,
        message: format!(
            "{} is inactive as requested by its spec.state",
            service_account(key)
        ),
    }
}

fn expired_summary(token: &TokenStatus) -> Summary {
    Summary {
        ready: false,
        active: Some(false),
        progress: Progress::Stalled,
        reason: Reason::Expired,
        message: format!(
            "Key expired at {}; raise spec.revision for a new token, or delete the key",
            rfc3339(token.expires_at)
        ),
    }
}

fn issued_summary(token: &TokenStatus) -> Summary {
    Summary {
        ready: true,
        active: Some(true),
        progress: Progress::Settled,
        reason: Reason::Issued,
        message: format!("Key {} issued; expires {}", token.id, rfc3339(token.expires_at)),
    }
}

fn service_account(key: &Key) -> String {
    format!(
        "ServiceAccount.iam.keyward.dev \"{}\"",
        key.spec.service_account_name
    )
}

#[cfg(test)]
#[path = "access_key_tests.rs"]
mod tests;
