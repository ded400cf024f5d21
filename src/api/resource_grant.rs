//! `ResourceGrant`: what a service account may reach, and whether it may act for others there.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::VariantArray;

use super::rules;
use super::shared::never_observed;

/// What a grant gives.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "iam.keyward.dev",
    version = "v1alpha1",
    kind = "ResourceGrant",
    namespaced,
    shortname = "kwgrant",
    category = "keyward",
    status = "ResourceGrantStatus",
    derive = "PartialEq",
    selectable = ".spec.serviceAccountName",
    selectable = ".spec.resource.category",
    selectable = ".spec.usage",
    selectable = ".spec.impersonation",
    doc = "A resource grant says that a service account may reach one resource of the platform, in which role, and whether \
           it may act for other persons there. These are the service account's associated resources.",
    printcolumn(name = "Service Account", type_ = "string", json_path = ".spec.serviceAccountName"),
    printcolumn(name = "Category", type_ = "string", json_path = ".spec.resource.category"),
    printcolumn(name = "Resource", type_ = "string", json_path = ".spec.resource.name"),
    printcolumn(name = "Role", type_ = "string", json_path = ".spec.role"),
    printcolumn(name = "Impersonation", type_ = "string", json_path = ".spec.impersonation"),
    printcolumn(name = "Usage", type_ = "string", json_path = ".spec.usage"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Display Name",
        type_ = "string",
        json_path = ".spec.resource.displayName",
        priority = 1
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
pub struct ResourceGrantSpec {
    /// Name of the service account (`kwsa`) in the same namespace that gets the grant. May not be changed.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::dns_name())]
    #[x_kube(validation = rules::fixed_grantee())]
    pub service_account_name: String,
    /// What may be reached.
    pub resource: Resource,
    /// How much may be done there; each one includes those before it: `Viewer`, `Member`, `Editor`, `Admin`.
    pub role: Role,
    /// `Enabled`: keys of the service account may act for other persons on this resource, and each such
    /// action is audited. `Disabled` (the default): they may not.
    #[serde(default)]
    pub impersonation: Impersonation,
    /// How the service account is used there. `Shared` (the default): a flow or common resource is shared
    /// with it. `Integration`: an integration runs as it. `Assignment`: items are assigned to it. A user
    /// who switches the service account off is told of them.
    #[serde(default)]
    pub usage: Usage,
}

/// A resource of the platform.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// What kind of resource it is: `Process`, `Dataset`, `Board`, `App` or `Collaboration`.
    pub category: Category,
    /// Name of the resource among those of its category, 1 to 128 letters, digits, `-`, `_` and `.`.
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = rules::resource_name())]
    pub name: String,
    /// Name for people, 1 to 79 characters. Default: the resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 79))]
    #[x_kube(validation = rules::readable())]
    pub display_name: Option<String>,
}

/// Kinds of resources.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, VariantArray,
)]
#[allow(missing_docs, reason = "the platform's own words")]
pub enum Category {
    Process,
    Dataset,
    Board,
    App,
    Collaboration,
}

impl Category {
    /// Every category.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The category's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Process => "Process",
            Self::Dataset => "Dataset",
            Self::Board => "Board",
            Self::App => "App",
            Self::Collaboration => "Collaboration",
        }
    }
}

/// How much may be done with a resource, in rising order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, VariantArray,
)]
pub enum Role {
    /// Look.
    Viewer,
    /// Take part.
    Member,
    /// Change it.
    Editor,
    /// Change it and who may reach it.
    Admin,
}

impl Role {
    /// Every role, in rising order.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The role's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "Viewer",
            Self::Member => "Member",
            Self::Editor => "Editor",
            Self::Admin => "Admin",
        }
    }
}

/// Whether keys may act for other persons.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Impersonation {
    /// They may, and each such action is audited.
    Enabled,
    /// They may not.
    #[default]
    Disabled,
}

/// How a service account is used on a resource.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Usage {
    /// A flow or common resource is shared with it.
    #[default]
    Shared,
    /// An integration runs as it.
    Integration,
    /// Items are assigned to it.
    Assignment,
}

/// What holds for a grant; written by the controller only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceGrantStatus {
    /// The `metadata.generation` that this status speaks of; -1 until the controller has seen the object.
    #[serde(default = "never_observed")]
    pub observed_generation: i64,
    /// Conditions. `Ready`: the service account exists and has the grant. `Reconciling`: it is waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

impl Default for ResourceGrantStatus {
    fn default() -> Self {
        Self { observed_generation: never_observed(), conditions: Vec::new() }
    }
}
