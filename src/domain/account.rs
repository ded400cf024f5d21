//! What to do about an account: the seats and display names of its service accounts, its counts and its log.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::api::AccountStatus;
use crate::api::account::ServiceAccountCounts;
use crate::api::shared::{AuditEntry, Seat};
use crate::domain::audit::{self, Happening, Target};
use crate::domain::conditions::{Progress, Summary, last_reason};
use crate::domain::limits::Limits;
use crate::domain::reason::Reason;
use crate::domain::seats::{Allotment, Candidate, admits, allot};
use crate::domain::service_account::saturating;
use crate::domain::time::whole_seconds;

/// Everything that the decision about one account reads.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its UID.
    pub uid: String,
    /// Its `metadata.generation`.
    pub generation: i64,
    /// The version it was observed at.
    pub resource_version: String,
    /// The limits in force.
    pub limits: Limits,
    /// What was recorded.
    pub status: AccountStatus,
    /// The service accounts of the namespace.
    pub service_accounts: Vec<ServiceAccountView>,
    /// UIDs of seated service accounts that are known to be gone.
    pub gone: Vec<String>,
}

/// What an account reads of one of its service accounts.
#[derive(Clone, Debug)]
pub struct ServiceAccountView {
    /// UID of the service account.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// The display name it asks for.
    pub display_name: String,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// It has admitted keys, so it was admitted itself.
    pub issued: bool,
}

/// What to do, in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The steps.
    pub actions: Vec<Action>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Tell it in an Event and a line of the audit stream.
    Audit(AuditEntry),
    /// Record it.
    WriteStatus(Box<AccountStatus>),
}

/// Decides. `now` is cut to whole seconds.
pub fn plan(observed: &Observed, now: DateTime<Utc>) -> Plan {
    let now = whole_seconds(now);
    let held = renamed(observed);
    let allotment = allot(
        &held,
        &candidates(observed, &held),
        &observed.gone,
        observed.limits.service_accounts,
    );
    let summary = summary(&observed.limits, now);
    let entries = entries(observed, &allotment, &summary, now);
    let status = status(observed, &allotment, &summary, &entries, now);
    let mut actions: Vec<Action> = entries.into_iter().map(Action::Audit).collect();
    if status != observed.status {
        actions.push(Action::WriteStatus(Box::new(status)));
    }
    Plan { actions }
}

/// The seats with the display names that their service accounts ask for now, where nobody else holds them.
fn renamed(observed: &Observed) -> Vec<Seat> {
    let mut seats = observed.status.seats.clone();
    for wanted in &observed.service_accounts {
        let taken = names(&seats, &wanted.uid, &observed.gone).contains(&wanted.display_name.to_lowercase());
        if let Some(seat) = seats.iter_mut().find(|seat| seat.uid == wanted.uid && !taken) {
            seat.display_name = Some(wanted.display_name.clone());
        }
    }
    seats
}

/// The names that seats other than that of `uid` hold, folded.
fn names(seats: &[Seat], uid: &str, gone: &[String]) -> HashSet<String> {
    let others = seats
        .iter()
        .filter(|seat| seat.uid != uid && !gone.contains(&seat.uid));
    others
        .filter_map(|seat| seat.display_name.as_ref().map(|name| name.to_lowercase()))
        .collect()
}

/// The service accounts as candidates; of several that want one name, the first in line is eligible.
fn candidates(observed: &Observed, held: &[Seat]) -> Vec<Candidate> {
    let mut waiting: Vec<&ServiceAccountView> = observed.service_accounts.iter().collect();
    waiting.sort_by_key(|view| (!view.issued, view.created, view.uid.clone()));
    let mut taken = names(held, "", &observed.gone);
    waiting
        .into_iter()
        .map(|view| Candidate {
            seat: Seat {
                uid: view.uid.clone(),
                name: view.name.clone(),
                display_name: Some(view.display_name.clone()),
            },
            created: view.created,
            issued: view.issued,
            eligible: admits(held, &view.uid) || taken.insert(view.display_name.to_lowercase()),
        })
        .collect()
}

fn summary(limits: &Limits, now: DateTime<Utc>) -> Summary {
    match limits.problem(now) {
        Some(message) => Summary {
            ready: false,
            active: None,
            progress: Progress::Stalled,
            reason: Reason::InvalidLimits,
            message,
        },
        None => Summary {
            ready: true,
            active: None,
            progress: Progress::Settled,
            reason: Reason::Accepted,
            message: format!(
                "Limits in force: {} service accounts, {} access keys each, valid for {} to {}",
                limits.service_accounts, limits.access_keys, limits.min_valid_for, limits.max_valid_for
            ),
        },
    }
}

fn status(
    observed: &Observed,
    allotment: &Allotment,
    summary: &Summary,
    entries: &[AuditEntry],
    now: DateTime<Utc>,
) -> AccountStatus {
    let before = &observed.status;
    let rejected = observed
        .service_accounts
        .iter()
        .filter(|view| !admits(&allotment.seats, &view.uid))
        .count();
    AccountStatus {
        observed_generation: observed.generation,
        service_accounts: Some(ServiceAccountCounts {
            admitted: saturating(allotment.seats.len()),
            rejected: saturating(rejected),
            limit: saturating(observed.limits.service_accounts),
        }),
        seats: allotment.seats.clone(),
        conditions: summary.conditions(&before.conditions, observed.generation, now),
        audit_log: audit::merge(&before.audit_log, entries, audit::PARENT_LOG),
    }
}

fn entries(
    observed: &Observed,
    allotment: &Allotment,
    summary: &Summary,
    now: DateTime<Utc>,
) -> Vec<AuditEntry> {
    let entry = |reason, seat: &Seat, what: &str, occurrence: &str| {
        let name = seat.display_name.as_deref().unwrap_or(&seat.name);
        Happening {
            reason,
            actor: if reason == Reason::ServiceAccountLimitExceeded {
                audit::CONTROLLER
            } else {
                audit::UNKNOWN
            }
            .into(),
            object: Target {
                kind: "ServiceAccount",
                name: seat.name.clone(),
                uid: seat.uid.clone(),
            },
            key_id: None,
            message: format!("Service account \"{name}\" {what}"),
        }
        .entry(occurrence, now)
    };
    let version = &observed.resource_version;
    let mut entries = Vec::new();
    if last_reason(&observed.status.conditions).is_some_and(|before| before != summary.reason.as_str()) {
        let object = Target {
            kind: "Account",
            name: crate::api::ACCOUNT_NAME.into(),
            uid: observed.uid.clone(),
        };
        let message = summary.message.clone();
        let actor = audit::UNKNOWN.into();
        let happening = Happening {
            reason: summary.reason,
            actor,
            object,
            key_id: None,
            message,
        };
        entries.push(happening.entry(version, now));
    }
    let Allotment {
        admitted,
        evicted,
        freed,
        ..
    } = allotment;
    entries.extend(
        freed
            .iter()
            .map(|seat| entry(Reason::ServiceAccountDeleted, seat, "was deleted", "deleted")),
    );
    entries.extend(admitted.iter().map(|seat| {
        entry(
            Reason::ServiceAccountCreated,
            seat,
            "was admitted to the account",
            version,
        )
    }));
    entries.extend(evicted.iter().map(|seat| {
        entry(
            Reason::ServiceAccountLimitExceeded,
            seat,
            "lost its seat because the limit was lowered",
            version,
        )
    }));
    entries
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
