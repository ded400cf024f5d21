//! What all kinds have in common: their group, and the values that are fixed.

/// The API group of every kind.
pub const GROUP: &str = "iam.keyward.dev";

/// Group and version of every kind.
pub const API_VERSION: &str = "iam.keyward.dev/v1alpha1";

/// The one name an `Account` may have.
pub const ACCOUNT_NAME: &str = "account";

/// The type of every Secret that holds an access key's token.
///
/// Fixed, because the control plane acts on some types: a chosen one could mint a service-account token.
pub const SECRET_TYPE: &str = "iam.keyward.dev/access-key";
