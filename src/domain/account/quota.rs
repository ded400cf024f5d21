//! The `ResourceQuota` that has the API server refuse one service account too many, so that a user learns it
//! at once. The limit itself never depends on it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use k8s_openapi::api::core::v1::{ResourceQuota, ResourceQuotaSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::domain::admins::{Owner, metadata, same_owner};

/// The quota's name in every account's namespace.
pub const NAME: &str = "keyward";
const COUNTED: &str = "count/serviceaccounts.iam.keyward.dev";

/// How old the account's oldest service account must be before there is a quota. kube-controller-manager
/// looks for new kinds every 30 seconds, and a quota on a kind that it cannot count yet would have every
/// creation refused.
const KNOWN_AFTER: TimeDelta = TimeDelta::seconds(60);

/// The quota of an account.
pub fn quota(owner: Owner<'_>, service_accounts: usize) -> ResourceQuota {
    let hard = BTreeMap::from([(COUNTED.to_owned(), Quantity(service_accounts.to_string()))]);
    ResourceQuota {
        metadata: metadata(NAME, owner),
        spec: Some(ResourceQuotaSpec { hard: Some(hard), ..ResourceQuotaSpec::default() }),
        status: None,
    }
}

/// Whether a quota says what is wanted.
pub fn same(wanted: &ResourceQuota, found: &ResourceQuota) -> bool {
    wanted.spec == found.spec && same_owner(&wanted.metadata, &found.metadata)
}

/// From when on the quota may stand; `None` while there is no service account.
pub fn from_when(created: impl Iterator<Item = DateTime<Utc>>) -> Option<DateTime<Utc>> {
    created.min().map(|oldest| oldest + KNOWN_AFTER)
}
