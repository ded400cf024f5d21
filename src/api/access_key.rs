//! `AccessKey`: a bearer token that belongs to one service account. The token itself lives only in its
//! Secret.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reason::{Reason, known};
use super::rules;
use super::shared::{
    AuditEntry, DesiredState, IsoDuration, LabelValue, NamespaceName, RefusedWrite, never_observed,
};

/// What an access key asks for.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "iam.keyward.dev",
    version = "v1alpha1",
    kind = "AccessKey",
    namespaced,
    shortname = "kwkey",
    category = "keyward",
    status = "AccessKeyStatus",
    derive = "PartialEq",
    derive = "Default",
    selectable = ".spec.serviceAccountName",
    selectable = ".spec.state",
    validation = rules::published_beside(),
    doc = "An access key is a bearer token that belongs to one service account. The controller writes the token into \
           a Secret and nowhere else; the status has only its id and hash.",
    printcolumn(name = "Service Account", type_ = "string", json_path = ".spec.serviceAccountName"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(name = "Expires", type_ = "string", json_path = ".status.token.expiresAt"),
    printcolumn(name = "Last Used", type_ = "date", json_path = ".status.lastUsedAt"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Key Id", type_ = "string", json_path = ".status.token.id", priority = 1),
    printcolumn(name = "Secret", type_ = "string", json_path = ".status.secretName", priority = 1),
    printcolumn(name = "Use Recorded", type_ = "date", json_path = ".status.usageRecordedSince", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    )
)]
#[x_kube(validation = rules::one_expiry())]
#[x_kube(validation = rules::fixed_secret_name())]
#[x_kube(validation = rules::rotation_needs_valid_for())]
#[serde(rename_all = "camelCase")]
pub struct AccessKeySpec {
    /// Name of the service account (`kwsa`) in the same namespace that the key belongs to. May not be
    /// changed.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::dns_name())]
    #[x_kube(validation = rules::fixed_service_account())]
    pub service_account_name: String,
    /// Name for people, 1 to 79 characters. Default: the object's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 79))]
    #[x_kube(validation = rules::readable())]
    pub display_name: Option<String>,
    /// What the key is for, at most 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    #[x_kube(validation = rules::readable_lines())]
    pub description: Option<String>,
    /// How long each token is valid from its issue, as an ISO 8601 duration with calendar months, such as
    /// P6M, P1Y or P30D. Between the account's limits, P6M and P2Y unless it sets others. Exactly one of
    /// `validFor` and `expiresAt` is set. A change counts from the next token; an issued token's expiry never
    /// moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<IsoDuration>,
    /// When the token expires (RFC 3339), as far from its issue as the account's limits allow, P6M to P2Y
    /// unless it sets others. Exactly one of `validFor` and `expiresAt` is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// `Active` (the default): the key authenticates. `Inactive`: it stops at once, its token is kept, and
    /// nothing but this field can be changed.
    #[serde(default)]
    pub state: DesiredState,
    /// Raise it to get a new token: the way to rotate by hand that fits Git. A token is issued when it is
    /// greater than the revision that was issued last, by at most 1000; a lower or equal one, or none, does
    /// nothing. The first token is for 1 where none is given. 1 to 2147483647.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = HIGHEST_REVISION))]
    pub revision: Option<i64>,
    /// When to issue the next token by itself. Without it the key expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<RotationSpec>,
    /// The Secret that holds the token. Without it: the key's name, and the default data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretSpec>,
    /// Copies of the token for gateways that read Secrets themselves, at most 8. They exist only while the
    /// key is good. Changing this, or `secret`, needs the verb `reveal` on the service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub publish: Option<Vec<PublishSpec>>,
}

/// The revision of a first token where none is given.
pub const FIRST_REVISION: i64 = 1;
/// The greatest `spec.revision`.
pub const HIGHEST_REVISION: i64 = 2_147_483_647;
/// By how much `spec.revision` may be raised at once. A typo must not be the end of rotation.
pub const MOST_REVISIONS_AT_ONCE: i64 = 1000;

/// Rotation ahead of expiry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotationSpec {
    /// How long before a token's expiry the next one is issued, as an ISO 8601 duration such as P14D. Must be
    /// shorter than `validFor`.
    pub renew_before: IsoDuration,
    /// How long the previous token stays good beside its successor, as an ISO 8601 duration such as P7D, but
    /// never beyond its own expiry. Default: it ends as soon as its successor is in the Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<IsoDuration>,
}

/// Name, metadata and data of the Secret.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretSpec {
    /// Name of the Secret, a DNS name of 1 to 253 characters. Default: the key's name. May not be changed. A
    /// Secret of that name that does not belong to this key is never written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::dns_name())]
    #[x_kube(validation = rules::no_helm_name())]
    pub name: Option<String>,
    /// Labels for the Secret, at most 32: `team`, `app` and a few more, and what the `Account` has in its
    /// `publishing.labelPrefixes`; others are not set. Labels by which deployment tools track objects (such
    /// as `argocd.argoproj.io/` or `app.kubernetes.io/instance`) are not allowed: the tool would prune the
    /// Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 32))]
    #[x_kube(validation = rules::qualified_keys())]
    #[x_kube(validation = rules::no_tracking_keys())]
    #[x_kube(validation = rules::no_helm_label())]
    pub labels: Option<BTreeMap<String, LabelValue>>,
    /// Annotations for the Secret, at most 32: `description`, `note` and a few more, and what the `Account`
    /// has in its `publishing.annotationPrefixes`; others are not set. Those by which deployment tools track
    /// objects are not allowed, as with labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 32))]
    #[x_kube(validation = rules::qualified_keys())]
    #[x_kube(validation = rules::no_tracking_keys())]
    pub annotations: Option<BTreeMap<String, AnnotationValue>>,
    /// Data of the Secret, at most 32 entries: key to text, in which `$(token)`, `$(keyId)`,
    /// `$(serviceAccount)`, `$(account)` and `$(expiresAt)` are replaced. It replaces the default data
    /// (`token`, `key-id`, `service-account`, `expires-at`) as a whole. At least one entry must hold
    /// `$(token)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 32))]
    #[x_kube(validation = rules::data_keys())]
    #[x_kube(validation = rules::data_has_token())]
    pub data: Option<BTreeMap<String, DataTemplate>>,
}

/// A further Secret with the token, for a gateway.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishSpec {
    /// Name of the Secret, a DNS name of 1 to 253 characters, no two alike in the list. A Secret of that name
    /// that does not belong to this key is never written.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::dns_name())]
    #[x_kube(validation = rules::no_helm_name())]
    pub name: String,
    /// Namespace of the Secret. Default: the key's. Another one's `Account` must name the key's namespace in
    /// its `acceptSecretsFrom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceName>,
    /// Type of the Secret, 1 to 253 characters. Default: `Opaque`. `nginx.org/apikey` is allowed too, and
    /// what the `Account` of the Secret's namespace has in its `publishing.types`; never one on which the
    /// control plane or a tool acts (`kubernetes.io/…`, `bootstrap.kubernetes.io/…`, `helm.sh/…`).
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::published_type())]
    pub type_: Option<String>,
    /// Labels for the Secret, at most 16: those of the documented gateways, and what the `Account` of the
    /// Secret's namespace has in its `publishing.labelPrefixes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 16))]
    #[x_kube(validation = rules::qualified_keys())]
    #[x_kube(validation = rules::no_tracking_keys())]
    #[x_kube(validation = rules::no_helm_label())]
    pub labels: Option<BTreeMap<String, LabelValue>>,
    /// Annotations for the Secret, at most 16, as with labels (`publishing.annotationPrefixes`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 16))]
    #[x_kube(validation = rules::qualified_keys())]
    #[x_kube(validation = rules::no_tracking_keys())]
    pub annotations: Option<BTreeMap<String, AnnotationValue>>,
    /// Data of the Secret, 1 to 16 entries: key to text, in which the same words are replaced as in
    /// `secret.data`, and `$(previousToken)` by the token before this one. Entries that hold
    /// `$(previousToken)` are there only while that one is still good. While no entry with a token is left,
    /// the Secret does not exist.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 16))]
    #[x_kube(validation = rules::data_keys())]
    #[x_kube(validation = rules::published_data_has_token())]
    pub data: BTreeMap<String, DataTemplate>,
}

/// An annotation's value, at most 1024 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AnnotationValue(#[schemars(length(max = 1024))] pub String);

/// One Secret entry's text before its `$(…)` are replaced, at most 4096 characters. It holds no token itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!self.matches('kw_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}')",
    "message": "may not hold a token; write $(token), which is replaced by the key's own",
}]))]
pub struct DataTemplate(#[schemars(length(max = 4096))] pub String);

/// What the key is. `Pending`: waiting for something that is on its way. `Active`: it authenticates.
/// `Inactive`: a user switched it or its service account off. `Expired`: its time has passed. `Rejected`:
/// refused, the conditions say why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum KeyState {
    /// Waiting for something that is on its way.
    Pending,
    /// It authenticates.
    Active,
    /// Switched off by a user, itself or with its service account.
    Inactive,
    /// Its time has passed.
    Expired,
    /// Refused; the conditions say why.
    Rejected,
}

/// An issued token: everything about it but the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenStatus {
    /// Public id of the token; logs, events and metrics show it.
    #[schemars(length(max = 64))]
    pub id: String,
    /// SHA-256 of the whole token, in hexadecimal.
    #[schemars(length(max = 64))]
    pub sha256: String,
    /// The `spec.revision` it was issued for.
    pub revision: i64,
    /// When it was issued (RFC 3339, UTC, whole seconds).
    pub issued_at: DateTime<Utc>,
    /// When it expires (RFC 3339, UTC, whole seconds). Never moves.
    pub expires_at: DateTime<Utc>,
}

/// A token that its successor has replaced and that is still good for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviousTokenStatus {
    /// The token.
    #[serde(flatten)]
    pub token: TokenStatus,
    /// Until when it is good (RFC 3339, UTC, whole seconds), never after its own expiry.
    pub valid_until: DateTime<Utc>,
}

/// The controller's signature of all that makes a key's tokens good. Whoever writes a token here without the
/// controller's key has it refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Seal {
    /// Id of the sealing key.
    #[schemars(length(max = 64))]
    pub signed_by: String,
    /// The signature (Ed25519, base64url).
    #[schemars(length(max = 128))]
    pub signature: String,
}

/// A Secret that was published for a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishedStatus {
    /// Name of the published Secret.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Namespace of the published Secret.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// The version of the Secret that the controller last checked.
    #[schemars(length(max = 64))]
    pub resource_version: String,
}

/// The last notice that was given of the token's expiry: `P30D`, `P7D` or `P1D` before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ExpiryNotice {
    /// 30 days before.
    P30D,
    /// 7 days before.
    P7D,
    /// 1 day before.
    P1D,
}

/// What holds for an access key; written by the controller, except for `lastUsedAt`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessKeyStatus {
    /// The `metadata.generation` that this status speaks of; -1 until the controller has seen the object.
    #[serde(default = "never_observed")]
    pub observed_generation: i64,
    /// `Pending`, `Active` (it authenticates), `Inactive` (switched off), `Expired` or `Rejected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<KeyState>,
    /// Why it is so: the reason that `Ready` gives, as a value.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The token in the Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenStatus>,
    /// A token that is good already and on its way into the Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<TokenStatus>,
    /// The token before this one, while it is still good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_token: Option<PreviousTokenStatus>,
    /// Goes up with every token of the key. No two tokens of a key have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<i64>,
    /// The controller's seal on the tokens above, the serial and the service account's UID, for this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Seal>,
    /// UID of the service account that the key was issued for. An account of the same name with another UID
    /// does not revive it.
    #[serde(default, rename = "serviceAccountUID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub service_account_uid: Option<String>,
    /// Name of the Secret that holds the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub secret_name: Option<String>,
    /// The version of the Secret that the controller last checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub secret_resource_version: Option<String>,
    /// The Secrets published for gateways that stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub published: Vec<PublishedStatus>,
    /// The last notice that was given of this token's expiry: `P30D`, `P7D` or `P1D` before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_notice: Option<ExpiryNotice>,
    /// When the key was last used (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<DateTime<Utc>>,
    /// Since when verifiers record its use (RFC 3339, UTC). With it and without `lastUsedAt` the key was
    /// never used since then; without both it is unknown whether it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_recorded_since: Option<DateTime<Utc>>,
    /// When its spec was last changed, or it was switched on, where the account has a policy about unused
    /// keys (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_counted_from: Option<DateTime<Utc>>,
    /// When it was warned that nobody uses the key (RFC 3339, UTC); gone with its next use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_warned_at: Option<DateTime<Utc>>,
    /// What the API server refused the controller when it last tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub refused: Vec<RefusedWrite>,
    /// Conditions. `Ready`: what is asked for holds. `Active`: the key authenticates. `Stalled`: only a
    /// user can help. `Reconciling`: work is under way. `Expiring`: the token expires within 30 days and
    /// nothing renews it. `Unused`: nobody uses it, as the account's policy counts. `RevisionBehind`:
    /// `spec.revision` asks for a token and gets none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// What happened to the key, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub audit_log: Vec<AuditEntry>,
}

impl Default for AccessKeyStatus {
    fn default() -> Self {
        Self {
            observed_generation: never_observed(),
            state: None,
            reason: None,
            token: None,
            next_token: None,
            previous_token: None,
            serial: None,
            seal: None,
            service_account_uid: None,
            secret_name: None,
            secret_resource_version: None,
            published: Vec::new(),
            expiry_notice: None,
            last_used_at: None,
            usage_recorded_since: None,
            unused_counted_from: None,
            unused_warned_at: None,
            refused: Vec::new(),
            conditions: Vec::new(),
            audit_log: Vec::new(),
        }
    }
}
