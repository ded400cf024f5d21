//! The kinds that the commands work with, and how messages name them and their objects.

use std::fmt::Debug;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::core::NamespaceResourceScope;
use kube::{Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::{AccessKey, Account, ResourceGrant, ServiceAccount};

/// An object in a namespace, of a kind that the commands read or change.
pub trait NamespacedObject:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
}

impl NamespacedObject for Account {}
impl NamespacedObject for ServiceAccount {}
impl NamespacedObject for AccessKey {}
impl NamespacedObject for ResourceGrant {}
impl NamespacedObject for Secret {}
impl NamespacedObject for Role {}
impl NamespacedObject for RoleBinding {}

/// A kind with its group, as messages name it.
pub fn kind_name<K: NamespacedObject>() -> String {
    match K::group(&()).as_ref() {
        "" => K::kind(&()).into_owned(),
        group => format!("{}.{group}", K::kind(&())),
    }
}

/// An object as kubectl names it, such as `accesskey.iam.keyward.dev/deploy`.
pub fn reference<K: NamespacedObject>(object: &K) -> String {
    format!("{}/{}", kind_name::<K>().to_lowercase(), object.name_any())
}

/// The field selector that finds what belongs to a service account.
pub fn of_service_account(name: &str) -> String {
    format!("spec.serviceAccountName={name}")
}
