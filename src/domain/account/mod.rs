//! What to do about an account: the seats and display names of its service accounts, its counts and its log.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::rbac::v1::RoleBinding;

use crate::api::account::{ServiceAccountCounts, Snapshot, SnapshotItem};
use crate::api::shared::{AuditEntry, Seat, Subject};
use crate::api::{AccountSpec, AccountStatus};
use crate::domain::access_key::unused::policy;
use crate::domain::account::limits::Limits;
use crate::domain::admins::{self, Owner};
use crate::domain::audit;
use crate::domain::audit::entry::{Happening, Target};
use crate::domain::audit::reason::Reason;
use crate::domain::change::{Change, change};
use crate::domain::conditions::{Progress, Summary};
use crate::domain::seats::{Allotment, Candidate, allot};
use crate::domain::value::text::saturating;
use crate::domain::value::time::whole_seconds;

pub mod limits;
pub mod quota;
pub mod snapshot;

/// Everything that the decision about one account reads.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its namespace.
    pub namespace: String,
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
    pub spec: AccountSpec,
    /// The limits in force.
    pub limits: Limits,
    /// What was recorded.
    pub status: AccountStatus,
    /// The service accounts of the namespace.
    pub service_accounts: Vec<ServiceAccountView>,
    /// UIDs of seated service accounts that are known to be gone.
    pub gone: Vec<String>,
    /// The binding of its super admins, where there is one.
    pub super_admins: Option<RoleBinding>,
    /// The binding of its IAM admins, where there is one.
    pub iam_admins: Option<RoleBinding>,
    /// Its quota.
    pub quota: QuotaView,
}

/// The quota on service accounts.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time, and not for long")]
pub enum QuotaView {
    /// None is to be kept.
    Unwanted,
    /// One is to be kept: the one that is there.
    Wanted(Option<ResourceQuota>),
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
    /// Who changed its spec last, as entries name them.
    pub changed_by: String,
    /// It as the snapshot shows it.
    pub at_a_glance: SnapshotItem,
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
    /// When to look again, if nothing happens before.
    pub look_again_at: Option<DateTime<Utc>>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Tell it in an Event and a line of the audit stream.
    Audit(Box<AuditEntry>),
    /// Record it.
    WriteStatus(Box<AccountStatus>),
    /// Change a binding of its admins.
    Binding(Change<RoleBinding>),
    /// Change its quota.
    Quota(Change<ResourceQuota>),
}

/// Decides. `now` is cut to whole seconds.
pub fn plan(observed: &Observed, now: DateTime<Utc>) -> Plan {
    let now = whole_seconds(now);
    // What belongs to it goes with it, and must not be put back meanwhile.
    if observed.deleting {
        return Plan::default();
    }
    let held = renamed(observed);
    let allotment =
        allot(&held, &candidates(observed, &held), &observed.gone, observed.limits.service_accounts);
    let summary = summary(observed, now);
    let glances = observed.service_accounts.iter().map(|view| view.at_a_glance.clone()).collect();
    let (snapshot, newer_at) = snapshot::take(observed.status.snapshot.as_ref(), glances, now);
    let entries = entries(observed, &allotment, &summary, now);
    let status = status(observed, &allotment, &summary, snapshot, &entries, now);
    let mut actions: Vec<Action> = entries.into_iter().map(Box::new).map(Action::Audit).collect();
    if status != observed.status {
        actions.push(Action::WriteStatus(Box::new(status)));
    }
    actions.extend(bindings(observed).into_iter().flatten().map(Action::Binding));
    let (of_quota, quota_at) = quota_change(observed, now);
    actions.extend(of_quota.map(Action::Quota));
    Plan { actions, look_again_at: [newer_at, quota_at].into_iter().flatten().min() }
}

/// What has RBAC allow the account's admins what the chart's cluster roles say.
fn bindings(observed: &Observed) -> [Option<Change<RoleBinding>>; 2] {
    let AccountSpec { super_admins, iam_admins, .. } = &observed.spec;
    let of = |asked: &Option<Vec<Subject>>, name, role, found: &Option<RoleBinding>| {
        let admins = asked.as_deref().unwrap_or_default();
        let wanted = admins::account_binding(owner(observed), name, role, admins);
        change(wanted, found.as_ref(), admins::same_binding)
    };
    [
        of(super_admins, admins::SUPER_ADMINS, admins::SUPER_ADMIN_ROLE, &observed.super_admins),
        of(iam_admins, admins::IAM_ADMINS, admins::IAM_ADMIN_ROLE, &observed.iam_admins),
    ]
}

fn owner(observed: &Observed) -> Owner<'_> {
    Owner {
        kind: "Account",
        namespace: &observed.namespace,
        name: crate::api::ACCOUNT_NAME,
        uid: &observed.uid,
    }
}

/// The quota's next change, or when it may first be made.
fn quota_change(
    observed: &Observed,
    now: DateTime<Utc>,
) -> (Option<Change<ResourceQuota>>, Option<DateTime<Utc>>) {
    let found = match &observed.quota {
        QuotaView::Unwanted => return (None, None),
        QuotaView::Wanted(found) => found.as_ref(),
    };
    let from = quota::from_when(observed.service_accounts.iter().map(|view| view.created));
    match (found, from) {
        (None, None) => (None, None),
        (None, Some(from)) if from > now => (None, Some(from)),
        _ => {
            let wanted = quota::quota(owner(observed), observed.limits.service_accounts);
            (change(Some(wanted), found, quota::same), None)
        }
    }
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

fn summary(observed: &Observed, now: DateTime<Utc>) -> Summary {
    let Observed { limits, spec, .. } = observed;
    let accepted: Vec<&str> = spec.accept_secrets_from.iter().flatten().map(|name| name.0.as_str()).collect();
    let accepts = if accepted.is_empty() {
        String::new()
    } else {
        format!("; Secrets are accepted from {}", accepted.join(", "))
    };
    let unused = policy::Policy::from_spec(spec.unused_access_keys.as_ref());
    let unused_problem = unused.and_then(|policy| policy.problem(now));
    let unused = unused.map(|policy| policy.words()).unwrap_or_default();
    match limits.problem(now).or(unused_problem) {
        Some(message) => {
            Summary { active: None, progress: Progress::Stalled, reason: Reason::InvalidLimits, message }
        }
        None => Summary {
            active: None,
            progress: Progress::Settled,
            reason: Reason::Accepted,
            message: format!(
                "Limits in force: {} service accounts, {} access keys each, valid for {} to {}{unused}{accepts}",
                limits.service_accounts, limits.access_keys, limits.min_valid_for, limits.max_valid_for
            ),
        },
    }
}

fn status(
    observed: &Observed,
    allotment: &Allotment,
    summary: &Summary,
    snapshot: Snapshot,
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
        keys: Some(if before.snapshot.as_ref() == Some(&snapshot) {
            before.keys.clone().unwrap_or_default()
        } else {
            snapshot::keys(observed.service_accounts.iter().map(|view| &view.at_a_glance))
        }),
        usage_recorded_since: before.usage_recorded_since,
        snapshot: Some(snapshot),
        super_admins: bound(observed.spec.super_admins.as_ref(), observed.super_admins.as_ref()),
        iam_admins: bound(observed.spec.iam_admins.as_ref(), observed.iam_admins.as_ref()),
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
    let told = |reason, actor: &str, object: Target, message: String| {
        let since = audit::since(log, &object, observed.generation);
        Happening { reason, actor: actor.to_owned(), object, key_id: None, message }.entry(&since, now)
    };
    let of_seat = |reason, actor: &str, seat: &Seat, what: &str| {
        let name = seat.display_name.as_deref().unwrap_or(&seat.name);
        let object = Target { kind: "ServiceAccount", name: seat.name.clone(), uid: seat.uid.clone() };
        told(reason, actor, object, format!("Service account \"{name}\" {what}"))
    };
    let Allotment { admitted, freed, seats: _ } = allotment;
    // Nothing is left that could say who deleted it.
    let deleted =
        freed.iter().map(|seat| of_seat(Reason::ServiceAccountDeleted, audit::UNKNOWN, seat, "was deleted"));
    let created = admitted.iter().map(|seat| {
        let creator = observed.service_accounts.iter().find(|view| view.uid == seat.uid);
        let actor = creator.map_or(audit::UNKNOWN, |view| &view.changed_by);
        of_seat(Reason::ServiceAccountCreated, actor, seat, "was admitted to the account")
    });
    let own = || Target { kind: "Account", name: crate::api::ACCOUNT_NAME.into(), uid: observed.uid.clone() };
    let policy = changed_policy(observed, summary)
        .map(|reason| told(reason, &observed.changed_by, own(), summary.message.clone()));
    let of_admins = changed_admins(observed)
        .map(|message| told(Reason::AdminsChanged, &observed.changed_by, own(), message));
    policy.into_iter().chain(of_admins).chain(deleted).chain(created).collect()
}

/// Which of the admins asked for RBAC has bound.
fn bound(asked: Option<&Vec<Subject>>, found: Option<&RoleBinding>) -> Vec<Subject> {
    admins::standing(asked.map(Vec::as_slice).unwrap_or_default(), found)
}

fn changed_admins(observed: &Observed) -> Option<String> {
    let Observed { spec, status, .. } = observed;
    let super_admins = bound(spec.super_admins.as_ref(), observed.super_admins.as_ref());
    let iam_admins = bound(spec.iam_admins.as_ref(), observed.iam_admins.as_ref());
    if super_admins == status.super_admins && iam_admins == status.iam_admins {
        return None;
    }
    let line = |admins: &[Subject]| admins::line(admins).unwrap_or_else(|| "nobody".to_owned());
    Some(format!("Super admins are now {}; IAM admins are now {}", line(&super_admins), line(&iam_admins)))
}

/// Why the limits in force are others than those told last; what holds from the start is not told.
fn changed_policy(observed: &Observed, summary: &Summary) -> Option<Reason> {
    let before = observed.status.conditions.iter().find(|condition| condition.type_ == "Ready")?;
    (before.message != summary.message).then_some(match summary.reason {
        Reason::Accepted => Reason::PolicyChanged,
        reason => reason,
    })
}

#[cfg(test)]
mod tests;
