//! The audit entries of an account: service accounts admitted and gone, and changes of its policy and admins.

use chrono::{DateTime, Utc};

use crate::api::shared::{AuditEntry, Seat, Subject};
use crate::api::{Kind, Reason};
use crate::domain::account::observed::Observed;
use crate::domain::admins;
use crate::domain::audit::{self, Happening, Target};
use crate::domain::conditions::Summary;
use crate::domain::seats::Allotment;

/// The audit entries for what is new, compared with the recorded status.
pub(super) fn entries(
    observed: &Observed,
    allotment: &Allotment,
    summary: &Summary,
    now: DateTime<Utc>,
) -> Vec<AuditEntry> {
    let log = &observed.status.audit_log;
    let entry = |reason, actor: &str, object: Target, message: String| {
        let since = audit::since(log, &object, observed.object.generation);
        Happening { reason, actor: actor.to_owned(), object, key_id: None, message }.entry(&since, now)
    };
    let of_seat = |reason, actor: &str, seat: &Seat, what: &str| {
        let name = seat.display_name.as_deref().unwrap_or(&seat.name);
        let object = Target { kind: Kind::ServiceAccount, name: seat.name.clone(), uid: seat.uid.clone() };
        entry(reason, actor, object, format!("Service account \"{name}\" {what}"))
    };
    let Allotment { admitted, freed, seats: _ } = allotment;
    // Nothing is left that could say who deleted it.
    let deleted =
        freed.iter().map(|seat| of_seat(Reason::ServiceAccountDeleted, audit::UNKNOWN, seat, "was deleted"));
    let created = admitted.iter().map(|seat| {
        let creator = observed.service_accounts.iter().find(|view| view.uid == seat.uid);
        let actor = creator.map_or(audit::UNKNOWN, |view| &view.created_by);
        of_seat(Reason::ServiceAccountCreated, actor, seat, "was admitted to the account")
    });
    let policy = changed_policy(observed, summary)
        .map(|reason| entry(reason, &observed.object.changed_by, observed.target(), summary.message.clone()));
    let of_admins = changed_admins(observed)
        .map(|message| entry(Reason::AdminsChanged, &observed.object.changed_by, observed.target(), message));
    let own = observed.target();
    let since = audit::since(log, &own, observed.object.generation);
    let of_writes = observed.failed.news(&observed.status.refused, &own, &since, now);
    policy.into_iter().chain(of_writes).chain(of_admins).chain(deleted).chain(created).collect()
}

fn changed_admins(observed: &Observed) -> Option<String> {
    let status = &observed.status;
    let (super_admins, iam_admins) = (observed.bound_super_admins(), observed.bound_iam_admins());
    if super_admins == status.super_admins && iam_admins == status.iam_admins {
        return None;
    }
    let line = |admins: &[Subject]| admins::line(admins).unwrap_or_else(|| "nobody".to_owned());
    Some(format!("Super admins are now {}; IAM admins are now {}", line(&super_admins), line(&iam_admins)))
}

/// Why the policy in force is another than the one recorded; what holds from the start is not reported.
fn changed_policy(observed: &Observed, summary: &Summary) -> Option<Reason> {
    let before = observed.status.policy.as_ref()?;
    (*before != observed.policy.recorded()).then_some(match summary.reason {
        Reason::Accepted => Reason::PolicyChanged,
        reason => reason,
    })
}
