//! Field types that more than one kind uses.

use chrono::{DateTime, Utc};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reason::{Reason, known};
use super::rules;

/// Whether a user wants the object to authenticate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DesiredState {
    /// It authenticates.
    #[default]
    Active,
    /// It keeps everything and authenticates nobody.
    Inactive,
}

/// A length of time in ISO 8601 form, such as `P6M`, `P1Y`, `P30D` or `PT1H`; months and years are calendar
/// ones.
///
/// Kept as it was written, so that nothing differs from what stands in Git; `domain::validity` parses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "self.matches('^P([0-9]{1,4}Y)?([0-9]{1,4}M)?([0-9]{1,4}W)?([0-9]{1,4}D)?(T([0-9]{1,6}H)?([0-9]{1,6}M)?([0-9]{1,6}S)?)?$') && self.matches('[0-9][YMWDHS]$')",
    "messageExpression": "\"must be an ISO 8601 duration such as P6M, P1Y, P30D or PT1H, not '\" + self + \"'\"",
    "message": "must be an ISO 8601 duration such as P6M, P1Y, P30D or PT1H",
}]))]
pub struct IsoDuration(#[schemars(length(max = 32))] pub String);

/// A label's value.
///
/// The form is that of Kubernetes: at most 63 characters, letters and digits at both ends, `-`, `_` and `.`
/// between.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "self.size() <= 63 && self.matches('^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$')",
    "messageExpression": "\"must be a label value: at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends; it is '\" + self + \"'\"",
    "message": "must be a label value: at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends",
}]))]
pub struct LabelValue(#[schemars(length(max = 253))] pub String);

/// Name of a namespace, 1 to 63 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "self.size() <= 63 && self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    "messageExpression": "\"must be the name of a namespace: at most 63 lower-case letters, digits and '-', with a letter or digit at both ends; it is '\" + self + \"'\"",
    "message": "must be the name of a namespace: at most 63 lower-case letters, digits and '-', with a letter or digit at both ends",
}]))]
pub struct NamespaceName(#[schemars(length(max = 253))] pub String);

/// One admitted child: it holds a place under its parent's limit until it is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Seat {
    /// UID of the admitted object. A seat belongs to this very object, not to its name.
    #[schemars(length(min = 1, max = 64))]
    pub uid: String,
    /// Name of the admitted object.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The display name that the object holds in the account, so that no second one can take it (service
    /// accounts only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub display_name: Option<String>,
    /// The serial of the object's last token, or one below that of its first (access keys only). A Secret
    /// with an older one brings back nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<i64>,
}

/// Someone that RBAC knows, written as in a `RoleBinding`.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::subject_namespace())]
pub struct Subject {
    /// What is named: `User`, `Group`, or `ServiceAccount` (the core kind).
    pub kind: SubjectKind,
    /// Name of the user, group or core service account, 1 to 253 characters.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::readable())]
    pub name: String,
    /// Namespace of a core service account; leave it out for users and groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
}

/// The kinds of [`Subject`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SubjectKind {
    /// A user, by the name that authentication gave.
    User,
    /// A group of users.
    Group,
    /// A core `ServiceAccount` (`v1`), not one of Keyward's.
    ServiceAccount,
}

/// Counts of access keys, by state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyCounts {
    /// All keys, in whatever state.
    pub total: i32,
    /// Keys that authenticate.
    pub active: i32,
    /// Keys switched off, or stopped because their service account is.
    pub inactive: i32,
    /// Keys whose time has passed.
    pub expired: i32,
    /// Keys without a seat, or refused for another reason.
    pub rejected: i32,
    /// Active keys that expire within 30 days.
    pub expiring_soon: i32,
}

/// A write that the API server refused the controller, or an admission policy, webhook or quota behind it. It
/// is tried again, at longest every 75 seconds, and is gone from status once it succeeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusedWrite {
    /// Why, as one word: `PermissionDenied` where RBAC does not let the controller, else a word for what it
    /// is that could not be written, such as `SecretRefused`.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What was refused, as verb and kind, for example `create Secret`.
    #[schemars(length(max = 64))]
    pub operation: String,
    /// What the API server said, without token material.
    #[schemars(length(max = 1024))]
    pub message: String,
}

/// One line of an audit log. It never holds token material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Identifies the entry; the Event that tells the same carries it in its name.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// When it happened, to the second (RFC 3339, UTC).
    pub time: DateTime<Utc>,
    /// Who did it: `controller`, `verifier`, the user that changed the field, for what a key did its service
    /// account as `keyward:<account>:<name>`, or `unknown` where nothing vouches for a name.
    #[schemars(length(max = 253))]
    pub actor: String,
    /// What was done, as one verb, for example `Issue` or `Deactivate`.
    #[schemars(length(max = 128))]
    pub action: String,
    /// What it was done to, as kind and name, for example `AccessKey/deploy`.
    #[schemars(length(max = 320))]
    pub object: String,
    /// Public id of the key concerned, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub key_id: Option<String>,
    /// Why, as one word out of the documented list of reasons.
    #[schemars(length(max = 128))]
    pub reason: String,
    /// The same as a sentence.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// The person that a key acted for, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub on_behalf_of: Option<String>,
    /// The resource on which a key acted for that person, as `Category/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 160))]
    pub resource: Option<String>,
    /// How often it happened that day (UTC), where repeats are folded into one entry; `time` is that of the
    /// last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<i32>,
}

/// `observedGeneration` of a status that no controller has written yet.
///
/// kstatus takes an object without it for finished; -1 never equals a generation.
pub fn never_observed() -> i64 {
    -1
}
