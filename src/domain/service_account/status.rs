//! The status that a service account is to have.

use chrono::{DateTime, Utc};

use crate::api::ServiceAccountStatus;
use crate::api::access_key::KeyState;
use crate::api::service_account::ServiceAccountState;
use crate::api::shared::{AuditEntry, KeyCounts, Seat};
use crate::domain::conditions::Summary;
use crate::domain::seats::{Allotment, admits};
use crate::domain::service_account::access::specs;
use crate::domain::service_account::associated::associated;
use crate::domain::service_account::observed::{AccountView, KeyView, Observed, ObservedKey};
use crate::domain::value::period::Period;
use crate::domain::value::text::saturating;
use crate::domain::{admins, audit};

/// An active key that expires within this time counts as expiring soon.
const EXPIRING_SOON: Period = Period::days(30);
/// How many keys are named as ones that could go.
const REMOVABLE: usize = 3;

/// What holds for the service account, with `entries` in its log.
pub(super) fn status(
    observed: &Observed,
    account: &AccountView,
    state: ServiceAccountState,
    summary: &Summary,
    allotment: &Allotment,
    entries: &[AuditEntry],
    now: DateTime<Utc>,
) -> ServiceAccountStatus {
    let before = &observed.status;
    let AccountView { policy, seats } = account;
    let limits = &policy.limits;
    let held_name =
        seats.iter().find(|seat| seat.uid == observed.object.uid).and_then(|s| s.display_name.clone());
    let admins = observed.bound_admins();
    let of_keys = observed.keys.iter().flat_map(|key| &key.view().status.audit_log);
    let full = allotment.seats.len() >= limits.access_keys;
    let waits = full
        && observed
            .keys
            .iter()
            .any(|key| key.eligible(limits, now) && !admits(&allotment.seats, key.view().uid));
    let last_accessed_at = observed.keys.iter().filter_map(|key| key.view().status.last_used_at).max();
    ServiceAccountStatus {
        observed_generation: observed.object.generation,
        state: Some(state),
        reason: Some(summary.reason),
        display_name: held_name,
        keys: Some(counts(&observed.keys, now)),
        seats: allotment.seats.clone(),
        removable_keys: if waits { removable(&observed.keys, &allotment.seats) } else { Vec::new() },
        associated_resources: Some(associated(&specs(&observed.grants))),
        admin_names: admins::line(&admins),
        admins,
        last_accessed_at: last_accessed_at.max(before.last_accessed_at),
        usage_recorded_since: policy.usage_recorded_since,
        refused: observed.failed.recorded(),
        conditions: observed.failed.conditions(summary, &before.conditions, observed.object.generation, now),
        audit_log: audit::absorb(
            &audit::merge(&before.audit_log, entries, audit::PARENT_LOG),
            of_keys,
            audit::PARENT_LOG,
        ),
    }
}

fn counts(keys: &[ObservedKey], now: DateTime<Utc>) -> KeyCounts {
    let count = |wanted: KeyState| {
        saturating(keys.iter().filter(|key| key.view().status.state == Some(wanted)).count())
    };
    let soon = EXPIRING_SOON.after(now);
    let expiring = |key: &&ObservedKey| {
        key.view().status.state == Some(KeyState::Active)
            && key.view().status.token.as_ref().is_some_and(|token| Some(token.expires_at) <= soon)
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
fn removable(keys: &[ObservedKey], seats: &[Seat]) -> Vec<String> {
    let mut seated: Vec<&ObservedKey> =
        keys.iter().filter(|key| seats.iter().any(|seat| seat.uid == key.view().uid)).collect();
    seated.sort_by_key(|key| {
        let KeyView { name, created, status, .. } = key.view();
        let expired = status.state == Some(KeyState::Expired);
        (!expired, status.last_used_at.unwrap_or(created), name)
    });
    seated.into_iter().take(REMOVABLE).map(|key| key.view().name.to_owned()).collect()
}

/// When the next active key starts to count as expiring soon.
pub(super) fn next_expiring(keys: &[ObservedKey], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let tokens = keys.iter().filter_map(|key| key.view().status.token.as_ref());
    tokens.filter_map(|token| EXPIRING_SOON.before(token.expires_at)).filter(|at| *at > now).min()
}
