//! The kinds that Keyward reads or writes, as values: labels of metrics and names in messages come from here.
//! No logic.

use std::fmt;

use k8s_openapi::api::core::v1::{ResourceQuota, Secret};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use strum::VariantArray;

use crate::api::{AccessKey, Account, ResourceGrant, ServiceAccount};

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, VariantArray)]
pub enum Kind {
    /// `AccessKey`.
    AccessKey,
    /// `Account`.
    Account,
    /// `ResourceGrant`.
    ResourceGrant,
    /// The `ResourceQuota` of an account.
    ResourceQuota,
    /// The `Role` of a service account's admins.
    Role,
    /// The `RoleBinding` of admins.
    RoleBinding,
    /// The `Secret` of a key, or one published for it.
    Secret,
    /// `ServiceAccount` of Keyward's group, not the core kind.
    ServiceAccount,
}

impl Kind {
    /// Every kind, by name.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Its name, as manifests have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessKey => "AccessKey",
            Self::Account => "Account",
            Self::ResourceGrant => "ResourceGrant",
            Self::ResourceQuota => "ResourceQuota",
            Self::Role => "Role",
            Self::RoleBinding => "RoleBinding",
            Self::Secret => "Secret",
            Self::ServiceAccount => "ServiceAccount",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A type whose objects are all of one [`Kind`].
pub trait OfKind {
    /// The kind.
    const KIND: Kind;
}

macro_rules! of_kind {
    ($($name:ident),*) => { $(impl OfKind for $name { const KIND: Kind = Kind::$name; })* };
}

of_kind!(AccessKey, Account, ResourceGrant, ResourceQuota, Role, RoleBinding, Secret, ServiceAccount);

#[cfg(test)]
mod tests {
    use kube::Resource;

    use super::*;

    fn of<K: OfKind + Resource<DynamicType = ()>>() -> (Kind, String) {
        (K::KIND, K::kind(&()).into_owned())
    }

    #[test]
    fn a_kind_has_the_name_that_the_api_server_knows() {
        let all = [
            of::<AccessKey>(),
            of::<Account>(),
            of::<ResourceGrant>(),
            of::<ResourceQuota>(),
            of::<Role>(),
            of::<RoleBinding>(),
            of::<Secret>(),
            of::<ServiceAccount>(),
        ];
        assert_eq!(all.each_ref().map(|(kind, _)| *kind), Kind::ALL);
        for (kind, name) in all {
            assert_eq!(kind.as_str(), name);
        }
    }
}
