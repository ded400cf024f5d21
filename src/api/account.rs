//! `Account`: the tenant. Its limits and admins, the seats of its service accounts, and all of them at a
//! glance.

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reason::{Reason, known};
use super::rules;
use super::service_account::{Icon, ServiceAccountState};
use super::shared::{
    AuditEntry, IsoDuration, KeyCounts, NamespaceName, RefusedWrite, Seat, Subject, never_observed,
};

/// What an account asks for.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "iam.keyward.dev",
    version = "v1alpha1",
    kind = "Account",
    namespaced,
    category = "keyward",
    status = "AccountStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "An account is a tenant: one namespace and the service accounts in it. It sets their limits and records \
           which of them are admitted. There is one to a namespace, named `account`; where none is applied, the \
           built-in limits hold and the controller creates it with the first service account.",
    validation = rules::account_name(),
    printcolumn(name = "Display Name", type_ = "string", json_path = ".spec.displayName"),
    printcolumn(name = "Service Accounts", type_ = "integer", json_path = ".status.serviceAccounts.admitted"),
    printcolumn(name = "Limit", type_ = "integer", json_path = ".status.serviceAccounts.limit"),
    printcolumn(name = "Rejected", type_ = "integer", json_path = ".status.serviceAccounts.rejected"),
    printcolumn(name = "Keys", type_ = "integer", json_path = ".status.keys.total"),
    printcolumn(name = "Active Keys", type_ = "integer", json_path = ".status.keys.active"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Expiring Keys", type_ = "integer", json_path = ".status.keys.expiringSoon", priority = 1),
    printcolumn(name = "Use Recorded", type_ = "date", json_path = ".status.usageRecordedSince", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message", priority = 1)
)]
#[serde(rename_all = "camelCase")]
pub struct AccountSpec {
    /// Name of the account for people, 1 to 79 characters. Default: the namespace's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 79))]
    #[x_kube(validation = rules::readable())]
    pub display_name: Option<String>,
    /// Limits of this account; each one left out keeps its built-in value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsSpec>,
    /// Who may create and manage every service account of the account, and name its admins. At most 32.
    /// Naming them needs the verb `delegate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub super_admins: Option<Vec<Subject>>,
    /// Who may create and manage every service account of the account, and name the admins of each. At most
    /// 32. Naming them needs the verb `delegate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub iam_admins: Option<Vec<Subject>>,
    /// Namespaces whose access keys may publish Secrets into this one, at most 32. Default: none. Changing
    /// it, or the limits, needs the verb `govern`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub accept_secrets_from: Option<Vec<NamespaceName>>,
    /// What Secrets of access keys may look like in this namespace, beyond what is allowed everywhere.
    /// Changing it needs the verb `govern`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publishing: Option<PublishingSpec>,
    /// What becomes of access keys that nobody uses. Default: nothing. It needs a verifier, which records
    /// use. Changing it needs the verb `govern`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_access_keys: Option<UnusedAccessKeysSpec>,
}

/// Types, labels and annotations that Secrets of access keys may have in a namespace, their own ones and
/// those that they publish into it, beside those of the documented gateways. Tools act on Secrets by these:
/// allow only what no tool in the cluster takes for its own.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishingSpec {
    /// Types of published Secrets, at most 32. Those on which the control plane, Helm or Keyward acts cannot
    /// be allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 253)))]
    #[x_kube(validation = rules::allowable_types())]
    pub types: Option<Vec<String>>,
    /// Labels, at most 32: the beginning of their keys where it ends in `/`, such as `example.com/`,
    /// otherwise a whole key. Those by which deployment tools track objects cannot be allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 317)))]
    #[x_kube(validation = rules::allowable_keys())]
    #[x_kube(validation = rules::no_tracking_keys())]
    pub label_prefixes: Option<Vec<String>>,
    /// Annotations, at most 32, as with labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 317)))]
    #[x_kube(validation = rules::allowable_keys())]
    #[x_kube(validation = rules::no_tracking_keys())]
    pub annotation_prefixes: Option<Vec<String>>,
}

/// When a key that nobody uses is warned about, and switched off. The time counts from its last use, its
/// creation, a change of its spec, or the begin of the record of use, whichever is last. Keys with
/// `spec.publish` are left out, since gateways that hold a token themselves record nothing.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnusedAccessKeysSpec {
    /// How long a key may be unused before a warning (condition `Unused`, Event, audit entry), as an ISO 8601
    /// duration such as P90D.
    pub warn_after: IsoDuration,
    /// How long a key may be unused before it is switched off, as an ISO 8601 duration longer than
    /// `warnAfter`, such as P120D. Its spec stays as it is, and a change of its spec switches it on again.
    /// Default: only warn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deactivate_after: Option<IsoDuration>,
}

/// Limits over the built-in ones.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitsSpec {
    /// How many service accounts the account may have, 0 to 1000. Built in: 25. Lowering it below what exists
    /// rejects the youngest and deletes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub service_accounts: Option<i32>,
    /// How many access keys each service account may have, 0 to 1000. Built in: 50. Inactive and expired keys
    /// count until they are deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub access_keys_per_service_account: Option<i32>,
    /// The shortest time a key may be valid for, as an ISO 8601 duration such as P6M, P30D
    /// or PT1H. Built in: P6M. A time under a day is meant for trying things out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_valid_for: Option<IsoDuration>,
    /// The longest time a key may be valid for, as an ISO 8601 duration such as P2Y. Built
    /// in: P2Y.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_valid_for: Option<IsoDuration>,
}

/// What holds for an account; written by the controller, except for `usageRecordedSince`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountStatus {
    /// The `metadata.generation` that this status speaks of; -1 until the controller has seen the object.
    #[serde(default = "never_observed")]
    pub observed_generation: i64,
    /// Why it is so: the reason that `Ready` gives, as a value.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The policy in force: the built-in limits with what `spec` sets over them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyStatus>,
    /// How many service accounts there are and may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_accounts: Option<ServiceAccountCounts>,
    /// The admitted service accounts, each with the display name it holds. Written only with the
    /// resourceVersion it was computed from, so it never holds more than the limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub seats: Vec<Seat>,
    /// How many access keys there are in the account, by state; as old as the snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeyCounts>,
    /// Since when verifiers record the use of keys in this account (RFC 3339, UTC); written by them. Without
    /// it, that a key has no `lastUsedAt` says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_recorded_since: Option<DateTime<Utc>>,
    /// All service accounts at a glance, rewritten at most once every few seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Snapshot>,
    /// The super admins that are bound by RBAC.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub super_admins: Vec<Subject>,
    /// The IAM admins that are bound by RBAC.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub iam_admins: Vec<Subject>,
    /// What the API server refused the controller when it last tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub refused: Vec<RefusedWrite>,
    /// Conditions of the account. `Ready`: the limits are valid and in force. `Stalled`: only a user can
    /// help.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// What happened in the account, newest first: service accounts created and deleted, limits refused,
    /// and changes to limits and admins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub audit_log: Vec<AuditEntry>,
}

/// What an account lets its service accounts and keys do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyStatus {
    /// How many service accounts and keys there may be, and how long a key may be valid for.
    pub limits: LimitsSpec,
    /// What is done about keys that nobody uses; nothing without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_access_keys: Option<UnusedAccessKeysSpec>,
    /// Other namespaces whose keys may publish Secrets here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub accept_secrets_from: Vec<NamespaceName>,
    /// What Secrets of keys may look like here, beyond what is allowed everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publishing: Option<PublishingSpec>,
}

/// Counts of an account's service accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountCounts {
    /// How many service accounts hold a seat.
    pub admitted: i32,
    /// How many service accounts wait for a seat or are refused.
    pub rejected: i32,
    /// How many service accounts may hold a seat.
    pub limit: i32,
}

/// All service accounts of an account at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// When it was taken (RFC 3339, UTC, whole seconds).
    pub time: DateTime<Utc>,
    /// The service accounts, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub service_accounts: Vec<SnapshotItem>,
    /// How many service accounts are left out because the snapshot would grow too large; 0 where it is whole.
    #[serde(default)]
    pub omitted: i32,
}

/// One service account at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotItem {
    /// Name of the service account.
    #[schemars(length(max = 253))]
    pub name: String,
    /// The display name it holds or asks for.
    #[schemars(length(max = 253))]
    pub display_name: String,
    /// Picture that user interfaces show beside the name: `Bot`, `Build`, `Calendar`, `Chart`, `Cloud`,
    /// `Database`, `Gear`, `Key`, `Mail`, `Rocket`, `Shield`, `Terminal`.
    pub icon: Icon,
    /// `Active`, `Inactive` or `Rejected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ServiceAccountState>,
    /// When one of its keys was last used (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_accessed_at: Option<DateTime<Utc>>,
    /// How many access keys it has, by state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeyCounts>,
    /// Its admins as one line, such as `User/alice, Group/platform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub admins: Option<String>,
}

impl Default for AccountStatus {
    fn default() -> Self {
        Self {
            observed_generation: never_observed(),
            reason: None,
            policy: None,
            service_accounts: None,
            seats: Vec::new(),
            keys: None,
            usage_recorded_since: None,
            snapshot: None,
            super_admins: Vec::new(),
            iam_admins: Vec::new(),
            refused: Vec::new(),
            conditions: Vec::new(),
            audit_log: Vec::new(),
        }
    }
}
