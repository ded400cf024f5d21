//! What to do about a service account: its admission, the seats of its keys, its counts and its log.

use chrono::{DateTime, Utc};

use crate::api::service_account::ServiceAccountState;
use crate::api::shared::{DesiredState, Seat};
use crate::api::{Reason, ServiceAccountStatus};
use crate::domain::audit;
use crate::domain::conditions::{Progress, Summary};
use crate::domain::refused::Step;
use crate::domain::seats::{Allotment, Candidate, allot};
use crate::domain::service_account::access::access;
use crate::domain::service_account::admission::{Admission, admission, name_conflict, wanted_display_name};
use crate::domain::service_account::entries::{entries, of_writes};
use crate::domain::service_account::observed::{AccountView, KeyView, Observed, ObservedKey};
use crate::domain::service_account::plan::{Action, Plan};
use crate::domain::service_account::status::{next_expiring, status};
use crate::domain::value::time::whole_seconds;

/// Decides. `now` is cut to whole seconds.
pub fn plan(observed: &Observed, now: DateTime<Utc>) -> Plan {
    let now = whole_seconds(now);
    // What belongs to it goes with it, and must not be put back meanwhile.
    if observed.object.deleting {
        return Plan::default();
    }
    let Some(account) = &observed.account else {
        return without_account(observed, now);
    };
    let display_name = wanted_display_name(&observed.spec, &observed.object.name);
    let admission =
        admission(Some((&account.policy.limits, &account.seats)), &observed.object.uid, display_name);
    if admission == Admission::Undecided {
        return Plan::default();
    }
    let allotment = allotment(observed, account, &admission, now);
    let (state, summary) = summary(observed, account, admission);
    let summary = observed.failed.over(summary);
    let entries = entries(observed, state, &summary, &allotment, now);
    let status = status(observed, account, state, &summary, &allotment, &entries, now);
    // What takes rights away comes before what reports it.
    let audits = entries.into_iter().map(Box::new).map(Action::Audit);
    let access = if observed.failed.has(Step::Admins) { Vec::new() } else { access(observed) };
    let mut actions: Vec<Action> = access.into_iter().chain(audits).collect();
    if status != observed.status {
        actions.push(Action::WriteStatus(Box::new(status)));
    }
    Plan { actions, look_again_at: next_expiring(&observed.keys, now) }
}

/// Its account is made first. Where that is refused nothing else is decided.
fn without_account(observed: &Observed, now: DateTime<Utc>) -> Plan {
    if !observed.failed.has(Step::Account) {
        return Plan::only(Action::CreateAccount);
    }
    let Some((reason, message)) = observed.failed.why(Step::Account) else {
        return Plan::default();
    };
    let before = &observed.status;
    let active = Some(before.state == Some(ServiceAccountState::Active));
    let summary = Summary { active, progress: Progress::Stalled, reason, message };
    let entries = of_writes(observed, now);
    let status = ServiceAccountStatus {
        observed_generation: observed.object.generation,
        state: before.state.or(Some(ServiceAccountState::Rejected)),
        reason: Some(reason),
        refused: observed.failed.recorded(),
        conditions: observed.failed.conditions(&summary, &before.conditions, observed.object.generation, now),
        audit_log: audit::merge(&before.audit_log, &entries, audit::PARENT_LOG),
        ..before.clone()
    };
    let mut actions: Vec<Action> = entries.into_iter().map(Box::new).map(Action::Audit).collect();
    if status != *before {
        actions.push(Action::WriteStatus(Box::new(status)));
    }
    Plan { actions, look_again_at: None }
}

fn allotment(
    observed: &Observed,
    account: &AccountView,
    admission: &Admission,
    now: DateTime<Utc>,
) -> Allotment {
    let limits = &account.policy.limits;
    let open = *admission == Admission::Admitted && observed.spec.state == DesiredState::Active;
    let candidates: Vec<Candidate> = observed
        .keys
        .iter()
        .map(|key| {
            let KeyView { uid, name, created, .. } = key.view();
            let serial = Some(seat_serial(None, None, observed.object.version()));
            Candidate {
                seat: Seat { uid: uid.to_owned(), name: name.to_owned(), display_name: None, serial },
                created,
                issued: key.issued(),
                eligible: key.issued() || (open && key.eligible(limits, now)),
            }
        })
        .collect();
    let held: Vec<Seat> = observed.status.seats.iter().map(|seat| with_serial(seat, observed)).collect();
    allot(&held, &candidates, &observed.gone, limits.access_keys)
}

/// The seat with the serial that its key's status has reached.
fn with_serial(seat: &Seat, observed: &Observed) -> Seat {
    let version = observed.object.version();
    let reached = |key: &ObservedKey| Some(seat_serial(seat.serial, key.view().serial, version));
    let serial = observed.key(&seat.uid).map_or(seat.serial, reached);
    Seat { serial, ..seat.clone() }
}

/// The serial that a key's seat is to name: `held` is the one that it named, `reached` the one in the key's
/// status, `version` the resource version of the service account.
///
/// A new seat names a later serial than any token that was drawn before, for it may be that the list was
/// lost, and the key's status too. Each serial is written, as the next one, into a seat or after one, so it
/// stays below the version that the service account has after the next write to it.
pub fn seat_serial(held: Option<i64>, reached: Option<i64>, version: i64) -> i64 {
    held.map_or(version, |held| held.max(reached.unwrap_or(held)))
}

fn summary(
    observed: &Observed,
    account: &AccountView,
    admission: Admission,
) -> (ServiceAccountState, Summary) {
    let wanted = wanted_display_name(&observed.spec, &observed.object.name);
    let stalled = |active, reason, message| Summary {
        active: Some(active),
        progress: Progress::Stalled,
        reason,
        message,
    };
    if let Admission::Rejected(reason, message) = admission {
        return (ServiceAccountState::Rejected, stalled(false, reason, sentence(&message)));
    }
    let inactive = observed.spec.state == DesiredState::Inactive;
    let state = if inactive { ServiceAccountState::Inactive } else { ServiceAccountState::Active };
    // It was renamed to a name that another one holds: it keeps its own, and its keys go on working.
    if let Some(message) = name_conflict(&account.seats, &observed.object.uid, wanted) {
        return (state, stalled(!inactive, Reason::DuplicateDisplayName, sentence(&message)));
    }
    let (reason, message) = if inactive {
        (Reason::Inactive, "Service account is inactive as requested by spec.state")
    } else {
        (Reason::Admitted, "Service account is admitted; its active keys authenticate")
    };
    let summary =
        Summary { active: Some(!inactive), progress: Progress::Settled, reason, message: message.into() };
    (state, summary)
}

/// `text` with a capital letter in front.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
