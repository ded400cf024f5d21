//! How many objects there are, by state: counted from the stores when the metrics are asked for.

use std::collections::HashMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::access_key::{ExpiryNotice, KeyState};
use crate::api::service_account::ServiceAccountState;
use crate::api::{AccessKey, ConditionType, Kind, Reason};
use crate::controller::watch::store::World;
use crate::domain::audit::catalog;
use crate::runtime::metrics::Metrics;

/// What `/metrics` serves while there is no object.
///
/// # Errors
/// When a metric cannot be written as text.
pub fn at_rest() -> Result<String, std::fmt::Error> {
    let metrics = Metrics::default();
    count(&World::new().0, &metrics);
    metrics.text()
}

/// Brings the gauges up to date.
pub(super) fn count(world: &World, metrics: &Metrics) {
    let keys = world.access_keys.all();
    let states: Vec<_> = keys.iter().map(|key| key.status.as_ref().and_then(|status| status.state)).collect();
    for (name, state) in [
        ("Pending", Some(KeyState::Pending)),
        ("Active", Some(KeyState::Active)),
        ("Inactive", Some(KeyState::Inactive)),
        ("Expired", Some(KeyState::Expired)),
        ("Rejected", Some(KeyState::Rejected)),
        ("Unknown", None),
    ] {
        metrics.objects(Kind::AccessKey, name, states.iter().filter(|found| **found == state).count());
    }
    for (name, notice) in [("30d", ExpiryNotice::P30D), ("7d", ExpiryNotice::P7D), ("1d", ExpiryNotice::P1D)]
    {
        let noticed = |key: &&std::sync::Arc<AccessKey>| {
            key.status.as_ref().and_then(|status| status.expiry_notice).is_some_and(|given| given >= notice)
        };
        metrics.expiring(name, keys.iter().filter(noticed).count());
    }
    let objects = world.service_accounts.all();
    let states: Vec<_> = objects.iter().map(|object| object.status.as_ref().and_then(|s| s.state)).collect();
    for (name, state) in [
        ("Active", Some(ServiceAccountState::Active)),
        ("Inactive", Some(ServiceAccountState::Inactive)),
        ("Rejected", Some(ServiceAccountState::Rejected)),
        ("Unknown", None),
    ] {
        metrics.objects(Kind::ServiceAccount, name, states.iter().filter(|found| **found == state).count());
    }
    let accounts = world.accounts.all();
    let of_keys = keys.iter().flat_map(|key| &key.status).filter(|status| is_stalled(&status.conditions));
    stalled(Kind::AccessKey, of_keys.map(|status| status.reason), metrics);
    let of_objects = objects.iter().flat_map(|o| &o.status).filter(|status| is_stalled(&status.conditions));
    stalled(Kind::ServiceAccount, of_objects.map(|status| status.reason), metrics);
    let of_accounts = accounts.iter().flat_map(|o| &o.status).filter(|status| is_stalled(&status.conditions));
    stalled(Kind::Account, of_accounts.map(|status| status.reason), metrics);
}

fn is_stalled(conditions: &[Condition]) -> bool {
    ConditionType::Stalled.find(conditions).is_some()
}

fn stalled(kind: Kind, recorded: impl Iterator<Item = Option<Reason>>, metrics: &Metrics) {
    let mut counts: HashMap<Reason, usize> = HashMap::new();
    for reason in recorded.flatten() {
        *counts.entry(reason).or_default() += 1;
    }
    let reasons = catalog::KINDS.into_iter().filter(|(known, _)| *known == kind);
    for reason in reasons.flat_map(|(_, reasons)| catalog::of_ready(reasons)) {
        metrics.stalled(kind, reason, counts.get(&reason).copied().unwrap_or_default());
    }
}
