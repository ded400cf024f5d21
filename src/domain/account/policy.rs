//! What an account lets its service accounts and keys do. Whoever reads another account's policy reads all of
//! it as one value, so that a new field concerns them by itself.

use chrono::{DateTime, Utc};

use crate::api::Account;
use crate::api::account::{LimitsSpec, PolicyStatus};
use crate::api::shared::{IsoDuration, NamespaceName};
use crate::domain::account::limits::Limits;
use crate::domain::account::publishing::Publishing;
use crate::domain::account::unused::UnusedPolicy;
use crate::domain::value::period::Period;
use crate::domain::value::text::saturating;

/// Namespaces whose keys may publish Secrets into that of `account`.
pub fn accepted_namespaces(account: &Account) -> impl Iterator<Item = &str> {
    account.spec.accept_secrets_from.iter().flatten().map(|name| name.0.as_str())
}

/// The policy in force. The default is what holds without an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountPolicy {
    /// The limits.
    pub limits: Limits,
    /// What is done about keys that nobody uses.
    pub unused: Option<UnusedPolicy>,
    /// Namespaces whose keys may publish Secrets into the account's.
    pub accepts_from: Vec<String>,
    /// What Secrets of keys may look like in its namespace.
    pub publishing: Publishing,
    /// Since when the use of its keys is recorded.
    pub usage_recorded_since: Option<DateTime<Utc>>,
}

impl AccountPolicy {
    /// The policy of `account`.
    pub fn of(account: &Account) -> Self {
        let spec = &account.spec;
        Self {
            limits: Limits::from_spec(spec.limits.as_ref()),
            unused: UnusedPolicy::from_spec(spec.unused_access_keys.as_ref()),
            accepts_from: accepted_namespaces(account).map(str::to_owned).collect(),
            publishing: Publishing::of(account),
            usage_recorded_since: account.status.as_ref().and_then(|status| status.usage_recorded_since),
        }
    }

    /// What is wrong with it, as a sentence.
    pub fn problem(&self, now: DateTime<Utc>) -> Option<String> {
        self.limits.problem(now).or(self.unused.and_then(|unused| unused.problem(now)))
    }

    /// The policy as a sentence.
    pub fn sentence(&self) -> String {
        let Self { limits, unused, accepts_from, publishing, usage_recorded_since: _ } = self;
        let Limits { service_accounts, access_keys, min_valid_for, max_valid_for } = limits;
        let unused = unused.map(|policy| policy.words()).unwrap_or_default();
        let accepts = if accepts_from.is_empty() {
            String::new()
        } else {
            format!("; Secrets are accepted from {}", accepts_from.join(", "))
        };
        let Publishing { types, label_prefixes, annotation_prefixes } = publishing;
        let lists = [("types", types), ("labels", label_prefixes), ("annotations", annotation_prefixes)];
        let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
        let allowed: Vec<String> =
            lists.map(|(what, list)| format!("; Secrets may have the {what} {}", list.join(", "))).collect();
        let allowed = allowed.concat();
        format!(
            "Limits in force: {service_accounts} service accounts, {access_keys} access keys each, valid for \
             {min_valid_for} to {max_valid_for}{unused}{accepts}{allowed}"
        )
    }

    /// The policy as status records it, so that a change of it is a change of a value.
    pub fn recorded(&self) -> PolicyStatus {
        let Self { limits, unused, accepts_from, publishing, usage_recorded_since: _ } = self;
        let Limits { service_accounts, access_keys, min_valid_for, max_valid_for } = limits;
        let duration = |period: &Period| IsoDuration(period.to_string());
        PolicyStatus {
            limits: LimitsSpec {
                service_accounts: Some(saturating(*service_accounts)),
                access_keys_per_service_account: Some(saturating(*access_keys)),
                min_valid_for: Some(duration(min_valid_for)),
                max_valid_for: Some(duration(max_valid_for)),
            },
            unused_access_keys: unused.as_ref().map(UnusedPolicy::recorded),
            accept_secrets_from: accepts_from.iter().cloned().map(NamespaceName).collect(),
            publishing: publishing.recorded(),
        }
    }
}
