//! `ServiceAccount`: a machine identity, and the seats of its access keys.

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reason::{Reason, known};
use super::resource_grant::{Category, Impersonation, Role, Usage};
use super::rules;
use super::shared::{AuditEntry, DesiredState, KeyCounts, RefusedWrite, Seat, Subject, never_observed};

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
    printcolumn(name = "Resources", type_ = "integer", json_path = ".status.associatedResources.total"),
    printcolumn(name = "Last Accessed", type_ = "date", json_path = ".status.lastAccessedAt"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Icon", type_ = "string", json_path = ".spec.icon", priority = 1),
    printcolumn(name = "Admins", type_ = "string", json_path = ".status.adminNames", priority = 1),
    printcolumn(
        name = "Use Recorded",
        type_ = "date",
        json_path = ".status.usageRecordedSince",
        priority = 1
    ),
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
#[x_kube(validation = rules::frozen("displayName"))]
#[x_kube(validation = rules::frozen("icon"))]
#[x_kube(validation = rules::frozen("description"))]
#[x_kube(validation = rules::frozen("admins"))]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccountSpec {
    /// Name for people, 1 to 79 characters, unique in the account without regard to upper and lower case.
    /// Default: the object's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 79))]
    #[x_kube(validation = rules::readable())]
    pub display_name: Option<String>,
    /// Picture that user interfaces show beside the name: `Bot` (the default), `Build`, `Calendar`, `Chart`,
    /// `Cloud`, `Database`, `Gear`, `Key`, `Mail`, `Rocket`, `Shield`, `Terminal`.
    #[serde(default)]
    pub icon: Icon,
    /// What the service account is for, at most 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    #[x_kube(validation = rules::readable_lines())]
    pub description: Option<String>,
    /// `Active` (the default): its keys authenticate. `Inactive`: they stop at once, everything is kept, and
    /// nothing but this field can be changed.
    #[serde(default)]
    pub state: DesiredState,
    /// Who may manage this service account: switch it, create, switch and delete its keys, and read its key
    /// Secrets. At most 32. The controller binds them with RBAC. Naming them needs the verb `delegate`.
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

/// What the service account is. `Active`: its active keys authenticate. `Inactive`: a user switched it off.
/// `Rejected`: it is not admitted, and its keys get no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ServiceAccountState {
    /// Its active keys authenticate.
    Active,
    /// Switched off by a user.
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
    /// `Active`, `Inactive` (switched off by a user) or `Rejected` (not admitted; its keys get no token).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ServiceAccountState>,
    /// Why it is so: the reason that `Ready` gives, as a value.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The display name that the account lists it under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub display_name: Option<String>,
    /// How many access keys there are, by state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeyCounts>,
    /// The admitted access keys. Written only with the resourceVersion it was computed from, so it never
    /// holds more than the limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub seats: Vec<Seat>,
    /// While keys wait for a seat: admitted keys that could be deleted to make room, expired ones first, then
    /// the longest unused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3), inner(length(max = 253)))]
    pub removable_keys: Vec<String>,
    /// What it may reach: its resource grants, counted and listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub associated_resources: Option<AssociatedResources>,
    /// The admins that RBAC lets manage it: those of `spec.admins`, once their `RoleBinding` stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub admins: Vec<Subject>,
    /// The same as one line, such as `User/alice, Group/platform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub admin_names: Option<String>,
    /// When one of its keys was last used (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_accessed_at: Option<DateTime<Utc>>,
    /// Since when verifiers record the use of its keys (RFC 3339, UTC). With it and without `lastAccessedAt`
    /// none was used since then; without both it is unknown whether one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_recorded_since: Option<DateTime<Utc>>,
    /// What the API server refused the controller when it last tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub refused: Vec<RefusedWrite>,
    /// Conditions. `Ready`: what is asked for holds. `Active`: its keys authenticate. `Stalled`: only a
    /// user can help. `Reconciling`: work is under way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// What happened to the service account and its keys, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub audit_log: Vec<AuditEntry>,
}

/// What a service account may reach: its resource grants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssociatedResources {
    /// How many resource grants there are.
    pub total: i32,
    /// `Enabled` where keys may act for other persons on any of the resources, or else `Disabled`.
    pub impersonation: Impersonation,
    /// How many there are of each category that occurs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["category"]))]
    pub categories: Vec<CategoryCount>,
    /// What still uses the service account, as sentences, one for each usage that occurs. A user who
    /// switches it off is told them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3), inner(length(max = 1024)))]
    pub in_use: Vec<String>,
    /// The grants, by category and name. Beyond 100 they are only counted: `kubectl get kwgrant` lists all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub items: Vec<AssociatedResource>,
}

/// How many associated resources are of one category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CategoryCount {
    /// `Process`, `Dataset`, `Board`, `App` or `Collaboration`.
    pub category: Category,
    /// How many grants there are for resources of the category.
    pub count: i32,
}

/// One associated resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssociatedResource {
    /// `Process`, `Dataset`, `Board`, `App` or `Collaboration`.
    pub category: Category,
    /// Name of the resource.
    #[schemars(length(max = 128))]
    pub name: String,
    /// Name for people, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 79))]
    pub display_name: Option<String>,
    /// How much may be done there: `Viewer`, `Member`, `Editor` or `Admin`.
    pub role: Role,
    /// Whether keys may act for other persons there: `Enabled` or `Disabled`.
    pub impersonation: Impersonation,
    /// How the service account is used there: `Shared`, `Integration` or `Assignment`.
    pub usage: Usage,
}

impl Default for ServiceAccountStatus {
    fn default() -> Self {
        Self {
            observed_generation: never_observed(),
            state: None,
            reason: None,
            display_name: None,
            keys: None,
            seats: Vec::new(),
            removable_keys: Vec::new(),
            associated_resources: None,
            admins: Vec::new(),
            admin_names: None,
            last_accessed_at: None,
            usage_recorded_since: None,
            refused: Vec::new(),
            conditions: Vec::new(),
            audit_log: Vec::new(),
        }
    }
}
