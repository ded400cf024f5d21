//! What to do about an account: the seats and display names of its service accounts, its counts and its log.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use crate::api::AccountStatus;
use crate::api::account::ServiceAccountCounts;
use crate::api::shared::{AuditEntry, Seat};
use crate::domain::audit::{self, Happening, Target};
use crate::domain::conditions::{Progress, Summary};
use crate::domain::limits::Limits;
use crate::domain::reason::Reason;
use crate::domain::seats::{Allotment, Candidate, allot};
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
    /// The display name it was recorded to hold.
    pub held_name: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// It has admitted keys, so it was admitted itself.
    pub issued: bool,
    /// Entries of its own log that tell of a refusal.
    pub refusals: Vec<AuditEntry>,
}

impl ServiceAccountView {
    /// The name under which it is admitted. One that was admitted before, and whose seat is lost, gets the one back that
    /// it held: another may have the one it asks for now.
    fn name_to_hold(&self) -> &str {
        self.held_name.as_deref().filter(|_| self.issued).unwrap_or(&self.display_name)
    }
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
    let allotment =
        allot(&held, &candidates(observed, &held), &observed.gone, observed.limits.service_accounts);
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
    let mut holders = holders(&seats, &observed.gone);
    let places: HashMap<String, usize> =
        seats.iter().enumerate().map(|(at, seat)| (seat.uid.clone(), at)).collect();
    for ServiceAccountView { uid, display_name, .. } in &observed.service_accounts {
        let Some(seat) = places.get(uid).and_then(|at| seats.get_mut(*at)) else { continue };
        let folded = display_name.to_lowercase();
        if holders.get(&folded).is_some_and(|holder| holder != uid) {
            continue;
        }
        if let Some(old) = seat.display_name.replace(display_name.clone()) {
            holders.remove(&old.to_lowercase());
        }
        holders.insert(folded, uid.clone());
    }
    seats
}

/// Who holds which name, folded.
fn holders(seats: &[Seat], gone: &[String]) -> HashMap<String, String> {
    let present = seats.iter().filter(|seat| !gone.contains(&seat.uid));
    present.filter_map(|seat| Some((seat.display_name.as_ref()?.to_lowercase(), seat.uid.clone()))).collect()
}

/// The service accounts as candidates; of several that want one name, the first in line is eligible.
fn candidates(observed: &Observed, held: &[Seat]) -> Vec<Candidate> {
    let mut waiting: Vec<&ServiceAccountView> = observed.service_accounts.iter().collect();
    waiting.sort_by_key(|view| (!view.issued, view.created, view.uid.clone()));
    let mut taken: HashSet<String> = holders(held, &observed.gone).into_keys().collect();
    let seated: HashSet<&str> = held.iter().map(|seat| seat.uid.as_str()).collect();
    let candidate = |view: &ServiceAccountView| {
        let name = view.name_to_hold();
        Candidate {
            seat: Seat {
                uid: view.uid.clone(),
                name: view.name.clone(),
                display_name: Some(name.to_owned()),
            },
            created: view.created,
            issued: view.issued,
            eligible: seated.contains(view.uid.as_str()) || taken.insert(name.to_lowercase()),
        }
    };
    waiting.into_iter().map(candidate).collect()
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
    let seated: HashSet<&str> = allotment.seats.iter().map(|seat| seat.uid.as_str()).collect();
    let rejected =
        observed.service_accounts.iter().filter(|view| !seated.contains(view.uid.as_str())).count();
    let refusals = observed.service_accounts.iter().flat_map(|view| &view.refusals);
    AccountStatus {
        observed_generation: observed.generation,
        service_accounts: Some(ServiceAccountCounts {
            admitted: saturating(allotment.seats.len()),
            rejected: saturating(rejected),
            limit: saturating(observed.limits.service_accounts),
        }),
        seats: allotment.seats.clone(),
        keys: None,
        snapshot: None,
        super_admins: Vec::new(),
        iam_admins: Vec::new(),
        conditions: summary.conditions(&before.conditions, observed.generation, now),
        audit_log: audit::absorb(
            &audit::merge(&before.audit_log, entries, audit::PARENT_LOG),
            refusals,
            audit::PARENT_LOG,
        ),
    }
}

fn entries(
    observed: &Observed,
    allotment: &Allotment,
    summary: &Summary,
    now: DateTime<Utc>,
) -> Vec<AuditEntry> {
    let log = &observed.status.audit_log;
    // Who created or deleted it, or changed the limits, is not known here.
    let told = |reason, object: Target, message: String| {
        let since = audit::since(log, &object, observed.generation);
        Happening { reason, actor: audit::UNKNOWN.into(), object, key_id: None, message }.entry(&since, now)
    };
    let of_seat = |reason, seat: &Seat, what: &str| {
        let name = seat.display_name.as_deref().unwrap_or(&seat.name);
        let object = Target { kind: "ServiceAccount", name: seat.name.clone(), uid: seat.uid.clone() };
        told(reason, object, format!("Service account \"{name}\" {what}"))
    };
    let Allotment { admitted, freed, seats: _ } = allotment;
    let deleted = freed.iter().map(|seat| of_seat(Reason::ServiceAccountDeleted, seat, "was deleted"));
    let created = admitted
        .iter()
        .map(|seat| of_seat(Reason::ServiceAccountCreated, seat, "was admitted to the account"));
    let policy = changed_policy(observed, summary).map(|reason| {
        let object =
            Target { kind: "Account", name: crate::api::ACCOUNT_NAME.into(), uid: observed.uid.clone() };
        told(reason, object, summary.message.clone())
    });
    policy.into_iter().chain(deleted).chain(created).collect()
}

/// Why the limits in force are others than those told last; what holds from the start is not told.
fn changed_policy(observed: &Observed, summary: &Summary) -> Option<Reason> {
    let before = observed.status.conditions.iter().find(|condition| condition.type_ == "Ready")?;
    (before.message != summary.message).then_some(match summary.reason {
        Reason::Accepted => Reason::LimitsChanged,
        reason => reason,
    })
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
