//! The status that an account is to have.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::api::AccountStatus;
use crate::api::account::{ServiceAccountCounts, Snapshot};
use crate::api::shared::AuditEntry;
use crate::domain::account::observed::Observed;
use crate::domain::account::snapshot;
use crate::domain::audit;
use crate::domain::conditions::Summary;
use crate::domain::seats::Allotment;
use crate::domain::value::text::saturating;

/// What holds for the account, with `entries` in its log.
pub(super) fn status(
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
        observed_generation: observed.object.generation,
        reason: Some(summary.reason),
        policy: Some(observed.policy.recorded()),
        service_accounts: Some(ServiceAccountCounts {
            admitted: saturating(allotment.seats.len()),
            rejected: saturating(rejected),
            limit: saturating(observed.policy.limits.service_accounts),
        }),
        seats: allotment.seats.clone(),
        keys: Some(if before.snapshot.as_ref() == Some(&snapshot) {
            before.keys.clone().unwrap_or_default()
        } else {
            snapshot::keys(observed.service_accounts.iter().map(|view| &view.at_a_glance))
        }),
        usage_recorded_since: before.usage_recorded_since,
        snapshot: Some(snapshot),
        super_admins: observed.bound_super_admins(),
        iam_admins: observed.bound_iam_admins(),
        refused: observed.failed.recorded(),
        conditions: observed.failed.conditions(summary, &before.conditions, observed.object.generation, now),
        audit_log: audit::absorb(
            &audit::merge(&before.audit_log, entries, audit::PARENT_LOG),
            refusals,
            audit::PARENT_LOG,
        ),
    }
}
