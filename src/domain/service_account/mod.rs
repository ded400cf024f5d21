//! What to do about a service account: its admission, the seats of its keys, its counts and its log.

use chrono::{DateTime, Utc};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};

use crate::api::access_key::{AccessKeyStatus, KeyState};
use crate::api::service_account::{ServiceAccountSpec, ServiceAccountState};
use crate::api::shared::{AuditEntry, DesiredState, KeyCounts, Seat};
use crate::api::{ResourceGrantSpec, ServiceAccountStatus};
use crate::domain::access_key::Admission;
use crate::domain::account::limits::Limits;
use crate::domain::admins;
use crate::domain::audit;
use crate::domain::audit::entry::{Happening, Target};
use crate::domain::audit::reason::Reason;
use crate::domain::change::Change;
use crate::domain::conditions::{Progress, Summary, last_reason};
use crate::domain::seats::{Allotment, Candidate, admits, allot};
use crate::domain::service_account::associated::associated;
use crate::domain::value::period::Period;
use crate::domain::value::text::saturating;
use crate::domain::value::time::whole_seconds;

mod access;
pub mod associated;

use access::{access, bound, changed_admins, changed_grants, specs};

/// An active key that expires within this time counts as expiring soon.
const EXPIRING_SOON: Period = Period::days(30);
/// How many keys are named as ones that could go.
const REMOVABLE: usize = 3;

/// Everything that the decision about one service account reads.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Who changed its spec last, as entries name them.
    pub changed_by: String,
    /// Its `metadata.generation`.
    pub generation: i64,
    /// It is being deleted, and something still holds it.
    pub deleting: bool,
    /// The version it was observed at.
    pub resource_version: String,
    /// What it asks for.
    pub spec: ServiceAccountSpec,
    /// What was recorded.
    pub status: ServiceAccountStatus,
    /// Its account; `None` where there is none yet.
    pub account: Option<AccountView>,
    /// The keys that name it.
    pub keys: Vec<KeyView>,
    /// UIDs of seated keys that are known to be gone.
    pub gone: Vec<String>,
    /// The resource grants that name it.
    pub grants: Vec<GrantView>,
    /// The Role of its admins, where there is one.
    pub role: Option<Role>,
    /// The binding of its admins, where there is one.
    pub binding: Option<RoleBinding>,
}

/// What a service account reads of one of its resource grants.
#[derive(Clone, Debug)]
pub struct GrantView {
    /// What it gives.
    pub spec: ResourceGrantSpec,
    /// Who changed it last, as entries name them.
    pub changed_by: String,
}

/// What a service account reads of its account.
#[derive(Clone, Debug)]
pub struct AccountView {
    /// The limits in force.
    pub limits: Limits,
    /// The admitted service accounts.
    pub seats: Vec<Seat>,
    /// Since when the use of its keys is recorded.
    pub usage_recorded_since: Option<DateTime<Utc>>,
}

/// What a service account reads of one of its keys.
#[derive(Clone, Debug)]
pub struct KeyView {
    /// UID of the key.
    pub uid: String,
    /// Name of the key.
    pub name: String,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// What was recorded.
    pub status: AccessKeyStatus,
    /// The Secret that it owns, where there is one.
    pub secret: Option<String>,
    /// It has a token, in its status or in its Secret.
    pub issued: bool,
    /// It may be given a seat: nothing but a seat keeps it from a token.
    pub eligible: bool,
}

/// What to do, in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The steps.
    pub actions: Vec<Action>,
    /// When to look again, if nothing happens before.
    pub look_again_at: Option<DateTime<Utc>>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Create the namespace's `Account` with the built-in limits.
    CreateAccount,
    /// Tell it in an Event and a line of the audit stream.
    Audit(Box<AuditEntry>),
    /// Record it.
    WriteStatus(Box<ServiceAccountStatus>),
    /// Change the Role of its admins.
    Role(Change<Role>),
    /// Change the binding of its admins.
    Binding(Change<RoleBinding>),
}

/// The display name that a service account asks for.
pub fn wanted_display_name<'a>(spec: &'a ServiceAccountSpec, name: &'a str) -> &'a str {
    spec.display_name.as_deref().unwrap_or(name)
}

/// Whether an account with these limits and seats admits the service account with `uid` that wants `display_name`.
pub fn admission(account: Option<(&Limits, &[Seat])>, uid: &str, display_name: &str) -> Admission {
    let Some((limits, seats)) = account else {
        return Admission::Undecided;
    };
    if seats.iter().any(|seat| seat.uid == uid) {
        return Admission::Admitted;
    }
    if let Some(message) = name_conflict(seats, uid, display_name) {
        return Admission::Rejected(Reason::DuplicateDisplayName, message);
    }
    if seats.len() < limits.service_accounts {
        return Admission::Undecided;
    }
    let message = format!(
        "the account already has {} of {} service accounts; delete one to proceed",
        seats.len(),
        limits.service_accounts
    );
    Admission::Rejected(Reason::ServiceAccountLimitExceeded, message)
}

fn name_conflict(seats: &[Seat], uid: &str, display_name: &str) -> Option<String> {
    let folded = display_name.to_lowercase();
    let holder = seats.iter().find(|seat| {
        seat.uid != uid && seat.display_name.as_ref().is_some_and(|name| name.to_lowercase() == folded)
    })?;
    Some(format!(
        "display name \"{display_name}\" (spec.displayName) is held by ServiceAccount.iam.keyward.dev \"{}\"; choose one that no \
         other service account of the account has, without regard to upper and lower case",
        holder.name
    ))
}

/// Decides. `now` is cut to whole seconds.
pub fn plan(observed: &Observed, now: DateTime<Utc>) -> Plan {
    let now = whole_seconds(now);
    // What belongs to it goes with it, and must not be put back meanwhile.
    if observed.deleting {
        return Plan::default();
    }
    let Some(account) = &observed.account else {
        return Plan { actions: vec![Action::CreateAccount], look_again_at: None };
    };
    let display_name = wanted_display_name(&observed.spec, &observed.name);
    let admission = admission(Some((&account.limits, &account.seats)), &observed.uid, display_name);
    if admission == Admission::Undecided {
        return Plan::default();
    }
    let allotment = allotment(observed, account, &admission);
    let (state, summary) = summary(observed, account, admission);
    let entries = entries(observed, state, &summary, &allotment, now);
    let status = status(observed, account, state, &summary, &allotment, &entries, now);
    let mut actions: Vec<Action> = entries.into_iter().map(Box::new).map(Action::Audit).collect();
    if status != observed.status {
        actions.push(Action::WriteStatus(Box::new(status)));
    }
    actions.extend(access(observed));
    Plan { actions, look_again_at: next_expiring(&observed.keys, now) }
}

fn allotment(observed: &Observed, account: &AccountView, admission: &Admission) -> Allotment {
    let open = *admission == Admission::Admitted && observed.spec.state == DesiredState::Active;
    let candidates: Vec<Candidate> = observed
        .keys
        .iter()
        .map(|key| Candidate {
            seat: Seat { uid: key.uid.clone(), name: key.name.clone(), display_name: None },
            created: key.created,
            issued: key.issued,
            eligible: key.issued || (open && key.eligible),
        })
        .collect();
    allot(&observed.status.seats, &candidates, &observed.gone, account.limits.access_keys)
}

fn summary(
    observed: &Observed,
    account: &AccountView,
    admission: Admission,
) -> (ServiceAccountState, Summary) {
    let wanted = wanted_display_name(&observed.spec, &observed.name);
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
    if let Some(message) = name_conflict(&account.seats, &observed.uid, wanted) {
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

fn status(
    observed: &Observed,
    account: &AccountView,
    state: ServiceAccountState,
    summary: &Summary,
    allotment: &Allotment,
    entries: &[AuditEntry],
    now: DateTime<Utc>,
) -> ServiceAccountStatus {
    let before = &observed.status;
    let held_name =
        account.seats.iter().find(|seat| seat.uid == observed.uid).and_then(|s| s.display_name.clone());
    let standing = bound(observed);
    let of_keys = observed.keys.iter().flat_map(|key| &key.status.audit_log);
    let full = allotment.seats.len() >= account.limits.access_keys;
    let waits = full && observed.keys.iter().any(|key| key.eligible && !admits(&allotment.seats, &key.uid));
    let last_accessed_at = observed.keys.iter().filter_map(|key| key.status.last_used_at).max();
    ServiceAccountStatus {
        observed_generation: observed.generation,
        state: Some(state),
        display_name: held_name,
        keys: Some(counts(&observed.keys, now)),
        seats: allotment.seats.clone(),
        removable_keys: if waits { removable(&observed.keys, &allotment.seats) } else { Vec::new() },
        associated_resources: Some(associated(&specs(&observed.grants))),
        admin_names: admins::line(&standing),
        admins: standing,
        last_accessed_at: last_accessed_at.max(before.last_accessed_at),
        usage_recorded_since: account.usage_recorded_since,
        conditions: summary.conditions(&before.conditions, observed.generation, now),
        audit_log: audit::absorb(
            &audit::merge(&before.audit_log, entries, audit::PARENT_LOG),
            of_keys,
            audit::PARENT_LOG,
        ),
    }
}

fn counts(keys: &[KeyView], now: DateTime<Utc>) -> KeyCounts {
    let count =
        |wanted: KeyState| saturating(keys.iter().filter(|key| key.status.state == Some(wanted)).count());
    let soon = EXPIRING_SOON.after(now);
    let expiring = |key: &&KeyView| {
        key.status.state == Some(KeyState::Active)
            && key.status.token.as_ref().is_some_and(|token| Some(token.expires_at) <= soon)
    };
    KeyCounts {
        total: saturating(keys.len()),
        active: count(KeyState::Active),
        inactive: count(KeyState::Inactive),
        expired: count(KeyState::Expired),
        rejected: count(KeyState::Rejected),
        expiring_soon: saturating(keys.iter().filter(expiring).count()),
    }
}

/// Seated keys that could go: expired ones first, then the longest unused.
fn removable(keys: &[KeyView], seats: &[Seat]) -> Vec<String> {
    let mut seated: Vec<&KeyView> =
        keys.iter().filter(|key| seats.iter().any(|seat| seat.uid == key.uid)).collect();
    seated.sort_by_key(|key| {
        let expired = key.status.state == Some(KeyState::Expired);
        (!expired, key.status.last_used_at.unwrap_or(key.created), key.name.clone())
    });
    seated.into_iter().take(REMOVABLE).map(|key| key.name.clone()).collect()
}

fn entries(
    observed: &Observed,
    state: ServiceAccountState,
    summary: &Summary,
    allotment: &Allotment,
    now: DateTime<Utc>,
) -> Vec<AuditEntry> {
    let own = Target { kind: "ServiceAccount", name: observed.name.clone(), uid: observed.uid.clone() };
    let since = audit::since(&observed.status.audit_log, &own, observed.generation);
    let of_state = told(observed, state, summary).into_iter().map(|(reason, actor)| {
        let message = summary.message.clone();
        Happening { reason, actor, object: own.clone(), key_id: None, message }.entry(&since, now)
    });
    let of_admins = changed_admins(observed).map(|message| {
        let (reason, actor) = (Reason::AdminsChanged, observed.changed_by.clone());
        Happening { reason, actor, object: own.clone(), key_id: None, message }.entry(&since, now)
    });
    let of_grants = changed_grants(observed).into_iter().map(|(reason, actor, message)| {
        let occurrence = format!("{since}/{message}");
        Happening { reason, actor, object: own.clone(), key_id: None, message }.entry(&occurrence, now)
    });
    let of_keys = allotment.freed.iter().map(|seat| {
        let object = Target { kind: "AccessKey", name: seat.name.clone(), uid: seat.uid.clone() };
        let message = format!("Access key \"{}\" was deleted; its seat is free", seat.name);
        let reason = Reason::KeyDeleted;
        Happening { reason, actor: audit::UNKNOWN.into(), object, key_id: None, message }
            .entry("deleted", now)
    });
    of_state.chain(of_admins).chain(of_grants).chain(of_keys).collect()
}

/// What is new about the service account itself, and who did it.
fn told(observed: &Observed, state: ServiceAccountState, summary: &Summary) -> Vec<(Reason, String)> {
    use ServiceAccountState::{Active, Inactive, Rejected};
    let person = || observed.changed_by.clone();
    let of_state = match (observed.status.state, state) {
        (Some(Inactive), Inactive) | (Some(Active), Active) | (_, Rejected) => None,
        (_, Inactive) => Some((Reason::Inactive, person())),
        (Some(Inactive), Active) => Some((Reason::Activated, person())),
        (_, Active) => Some((Reason::Admitted, audit::CONTROLLER.to_owned())),
    };
    let is_new = last_reason(&observed.status.conditions) != Some(summary.reason.as_str());
    let of_reason = match summary.reason {
        // Those two tell of the state, which is told already.
        Reason::Inactive => None,
        Reason::Admitted if of_state.is_some() => None,
        reason => is_new.then(|| (reason, audit::CONTROLLER.to_owned())),
    };
    of_state.into_iter().chain(of_reason).collect()
}

/// When the next active key starts to count as expiring soon.
fn next_expiring(keys: &[KeyView], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let tokens = keys.iter().filter_map(|key| key.status.token.as_ref());
    tokens.filter_map(|token| EXPIRING_SOON.before(token.expires_at)).filter(|at| *at > now).min()
}

#[cfg(test)]
mod tests;
