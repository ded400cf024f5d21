//! The custom resources as their users see them: one kind a file, types and CEL rules, no logic and no
//! client.

pub mod access_key;
pub mod account;
pub mod condition;
pub mod crds;
mod group;
pub mod json_schema;
pub mod kind;
pub mod names;
pub mod reason;
pub mod resource_grant;
mod rules;
pub mod service_account;
pub mod shared;

pub use access_key::{AccessKey, AccessKeySpec, AccessKeyStatus};
pub use account::{Account, AccountSpec, AccountStatus};
pub use condition::ConditionType;
pub use group::{ACCOUNT_NAME, API_VERSION, GROUP, SECRET_TYPE};
pub use kind::{Kind, OfKind};
pub use reason::Reason;
pub use resource_grant::{ResourceGrant, ResourceGrantSpec, ResourceGrantStatus};
pub use service_account::{ServiceAccount, ServiceAccountSpec, ServiceAccountStatus};
