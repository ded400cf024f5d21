//! `ServiceAccount`: a machine identity, and the seats of its access keys.

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules;
use super::shared::{AuditEntry, DesiredState, Seat, Subject, never_observed};

/// What a service account asks for.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "iam.keyward.dev",
    version = "v1alpha1",
    kind = "ServiceAccount",
    namespaced,
    shortname = "kwsa",
    category = "keyward",
    status = "ServiceAccountStatus",
    derive = "PartialEq",
    derive = "Default",
    selectable = ".spec.state",
    doc = "A service account is a machine identity of the account (the namespace) it stands in. Its access keys \
           authenticate as it. This is not the core kind of the same name: use the short name `kwsa` or the full \
           name `serviceaccounts.iam.keyward.dev`.",
    printcolumn(name = "Display Name", type_ = "string", json_path = ".status.displayName"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Keys", type_ = "integer", json_path = ".status.keys.total"),
    printcolumn(name = "Active", type_ = "integer", json_path = ".status.keys.active"),
    printcolumn(name = "Last Accessed", type_ = "date", json_path = ".status.lastAccessedAt"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Icon", type_ = "string", json_path = ".spec.icon", priority = 1),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        priority = 1
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    )
)]
#[x_kube(validation = rules::frozen("service account", "displayName"))]
#[x_kube(validation = rules::frozen("service account", "icon"))]
#[x_kube(validation = rules::frozen("service account", "description"))]
#[x_kube(validation = rules::frozen("service account", "admins"))]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountSpec {
    /// Name for people, 1 to 79 characters, unique in the account without regard to upper and lower case. Default:
    /// the object's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 79))]
    pub display_name: Option<String>,
    /// Picture that user interfaces show beside the name: `Bot` (the default), `Build`, `Calendar`, `Chart`, `Cloud`,
    /// `Database`, `Gear`, `Key`, `Mail`, `Rocket`, `Shield`, `Terminal`.
    #[serde(default)]
    pub icon: Icon,
    /// What the service account is for, at most 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// `Active` (the default): its keys authenticate. `Inactive`: they stop at once, everything is kept, and nothing
    /// but this field can be changed.
    #[serde(default)]
    pub state: DesiredState,
    /// Who may manage this service account: switch it, and create, switch and delete its keys. At most 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub admins: Option<Vec<Subject>>,
}

/// Pictures for a service account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names say what the pictures show")]
pub enum Icon {
    #[default]
    Bot,
    Build,
    Calendar,
    Chart,
    Cloud,
    Database,
    Gear,
    Key,
    Mail,
    Rocket,
    Shield,
    Terminal,
}

/// What the service account is. `Active`: its active keys authenticate. `Inactive`: a person switched it off. `Rejected`:
/// it is not admitted, and its keys get no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ServiceAccountState {
    /// Its active keys authenticate.
    Active,
    /// Switched off by a person.
    Inactive,
    /// Not admitted: its keys get no token.
    Rejected,
}

/// What holds for a service account; written by the controller only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountStatus {
    /// The `metadata.generation` that this status speaks of; -1 until the controller has seen the object.
    #[serde(default = "never_observed")]
    pub observed_generation: i64,
    /// `Active`, `Inactive` (switched off by a person) or `Rejected` (not admitted; its keys get no token).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ServiceAccountState>,
    /// The display name that the account lists it under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub display_name: Option<String>,
    /// How many access keys there are, by state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeyCounts>,
    /// The admitted access keys. Written only with the resourceVersion it was computed from, so it never holds more
    /// than the limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub seats: Vec<Seat>,
    /// While keys wait for a seat: admitted keys that could be deleted to make room, expired ones first, then the
    /// longest unused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3), inner(length(max = 253)))]
    pub removable_keys: Vec<String>,
    /// When one of its keys was last used (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_accessed_at: Option<DateTime<Utc>>,
    /// Conditions. `Ready`: what is asked for holds. `Active`: its keys authenticate. `Stalled`: only a person can
    /// help. `Reconciling`: work is under way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// What happened to the service account and its keys, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub audit_log: Vec<AuditEntry>,
}

/// Counts of a service account's keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyCounts {
    /// All keys that name this service account.
    pub total: i32,
    /// Keys that authenticate.
    pub active: i32,
    /// Keys switched off, or stopped because the service account is.
    pub inactive: i32,
    /// Keys whose time has passed.
    pub expired: i32,
    /// Keys without a seat, or refused for another reason.
    pub rejected: i32,
    /// Active keys that expire within 30 days.
    pub expiring_soon: i32,
}

impl Default for ServiceAccountStatus {
    fn default() -> Self {
        Self {
            observed_generation: never_observed(),
            state: None,
            display_name: None,
            keys: None,
            seats: Vec::new(),
            removable_keys: Vec::new(),
            last_accessed_at: None,
            conditions: Vec::new(),
            audit_log: Vec::new(),
        }
    }
}
