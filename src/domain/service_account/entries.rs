//! The audit entries of a service account: its state, its admins and grants, and keys that are gone.

use chrono::{DateTime, Utc};

use crate::api::service_account::ServiceAccountState;
use crate::api::shared::AuditEntry;
use crate::api::{Kind, Reason};
use crate::domain::audit::{self, Happening, Target};
use crate::domain::conditions::Summary;
use crate::domain::seats::Allotment;
use crate::domain::service_account::access::{changed_admins, changed_grants};
use crate::domain::service_account::observed::Observed;

/// The audit entries for what is new, compared with the recorded status.
pub(super) fn entries(
    observed: &Observed,
    state: ServiceAccountState,
    summary: &Summary,
    allotment: &Allotment,
    now: DateTime<Utc>,
) -> Vec<AuditEntry> {
    let own = observed.target();
    let since = audit::since(&observed.status.audit_log, &own, observed.object.generation);
    let of_state = changes(observed, state, summary).into_iter().map(|(reason, actor)| {
        let message = summary.message.clone();
        Happening { reason, actor, object: own.clone(), key_id: None, message }.entry(&since, now)
    });
    let of_admins = changed_admins(observed).map(|message| {
        let (reason, actor) = (Reason::AdminsChanged, observed.object.changed_by.clone());
        Happening { reason, actor, object: own.clone(), key_id: None, message }.entry(&since, now)
    });
    let of_grants = changed_grants(observed).into_iter().map(|(reason, actor, message)| {
        let occurrence = format!("{since}/{message}");
        Happening { reason, actor, object: own.clone(), key_id: None, message }.entry(&occurrence, now)
    });
    let created = allotment.admitted.iter().filter_map(|seat| {
        let key = observed.key(&seat.uid)?;
        let object = Target { kind: Kind::AccessKey, name: seat.name.clone(), uid: seat.uid.clone() };
        let message = format!("Access key \"{}\" was created", seat.name);
        let (reason, actor) = (Reason::KeyCreated, key.created_by.clone());
        let happening = Happening { reason, actor, object, key_id: None, message };
        Some(happening.entry("created", key.view().created))
    });
    let of_keys = allotment.freed.iter().map(|seat| {
        let object = Target { kind: Kind::AccessKey, name: seat.name.clone(), uid: seat.uid.clone() };
        let message = format!("Access key \"{}\" was deleted; its seat is free", seat.name);
        let reason = Reason::KeyDeleted;
        Happening { reason, actor: audit::UNKNOWN.into(), object, key_id: None, message }
            .entry("deleted", now)
    });
    of_state
        .chain(of_writes(observed, now))
        .chain(of_admins)
        .chain(of_grants)
        .chain(created)
        .chain(of_keys)
        .collect()
}

/// The entries for writes that were refused.
pub(super) fn of_writes(observed: &Observed, now: DateTime<Utc>) -> Vec<AuditEntry> {
    let own = observed.target();
    let since = audit::since(&observed.status.audit_log, &own, observed.object.generation);
    observed.failed.news(&observed.status.refused, &own, &since, now)
}

/// What is new about the service account itself, and who did it.
fn changes(observed: &Observed, state: ServiceAccountState, summary: &Summary) -> Vec<(Reason, String)> {
    use ServiceAccountState::{Active, Inactive, Rejected};
    let user = || observed.object.changed_by.clone();
    let of_state = match (observed.status.state, state) {
        (Some(Inactive), Inactive) | (Some(Active), Active) | (_, Rejected) => None,
        (_, Inactive) => Some((Reason::Inactive, user())),
        (Some(Inactive), Active) => Some((Reason::Activated, user())),
        (_, Active) => Some((Reason::Admitted, audit::CONTROLLER.to_owned())),
    };
    let status = &observed.status;
    let is_new = audit::is_new(summary.reason, status.reason, status.observed_generation);
    let of_reason = match summary.reason {
        // Those two report the state, which is reported already.
        Reason::Inactive => None,
        Reason::Admitted if of_state.is_some() => None,
        // It has an entry of its own.
        reason if observed.failed.is_told_by(reason) => None,
        reason => is_new.then(|| (reason, audit::CONTROLLER.to_owned())),
    };
    of_state.into_iter().chain(of_reason).collect()
}
