//! The JSON of requests and answers, as the `OpenAPI` document has it and clients of our own write it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::resource_grant::{Category, Role};

/// A question about one token.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyRequest {
    /// The token as it was presented to you, without `Bearer`.
    #[schemars(length(max = 4096))]
    pub token: String,
    /// The resource that the request is about; the service account must have a grant on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<VerifyResource>,
    /// The person that the request acts for: 1 to 253 visible ASCII characters, not beginning with `keyward:`
    /// or `system:`. Needs `resource`, and a grant on it with impersonation enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub on_behalf_of: Option<String>,
    /// Your id of the request, for the audit line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub request_id: Option<String>,
}

/// A resource, and the least role that suffices there.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyResource {
    /// What kind of resource it is.
    pub category: Category,
    /// Its name, as in the grant.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// The least role that suffices. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// The verdict. Where `valid` is false, only `code` and `message` are there beside it.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyResponse {
    /// Whether the request may be let in.
    pub valid: bool,
    /// Why not: `invalid_token` for every token that is not good, `insufficient_scope` for a good one that
    /// does not reach this far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["invalid_token", "insufficient_scope"]), with = "String")]
    pub code: Option<String>,
    /// The same as a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub message: Option<String>,
    /// Whom the request is to be taken to come from: the person acted for, or else the service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub subject: Option<String>,
    /// The service account that acts, as `keyward:<account>:<service account>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub actor: Option<String>,
    /// Its account: the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub account: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub service_account: Option<String>,
    /// Public id of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub key_id: Option<String>,
    /// When the token ends (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub expires_at: Option<String>,
    /// The resource that was asked for, as `Category/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub resource: Option<String>,
    /// The role that the service account has there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Role")]
    pub role: Option<Role>,
    /// The person acted for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub on_behalf_of: Option<String>,
}
