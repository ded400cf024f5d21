//! Writes of whole objects and of their status, the same for every kind.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::NamespaceResourceScope;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::controller::FIELD_MANAGER;
use crate::controller::apply::actor::Actor;
use crate::controller::watch::store::{SecretMeta, Store};
use crate::domain::change::Change;
use crate::runtime::client::{CallError, bounded};

/// Names the controller as the one who writes.
pub(in crate::controller) fn post() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() }
}

impl Actor {
    /// Writes a status with the version that it was computed from, by server-side apply.
    pub(in crate::controller) async fn write_status<K>(
        &self,
        object: &K,
        status: impl Serialize + Send,
    ) -> Result<K, CallError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned,
    {
        let name = object.name_any();
        let api: Api<K> = Api::namespaced(self.client.clone(), &object.namespace().unwrap_or_default());
        let body = json!({
            "apiVersion": K::api_version(&()),
            "kind": K::kind(&()),
            "metadata": { "name": name, "resourceVersion": object.resource_version() },
            "status": status,
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let mut written =
            bounded("write status", api.patch_status(&name, &params, &Patch::Apply(body))).await?;
        written.meta_mut().managed_fields = None;
        self.metrics.wrote(match K::kind(&()).as_ref() {
            "Account" => "Account",
            "ServiceAccount" => "ServiceAccount",
            "ResourceGrant" => "ResourceGrant",
            _ => "AccessKey",
        });
        Ok(written)
    }

    /// Carries out the change of a whole object. One of that name that is someone else's is never taken over.
    pub(in crate::controller) async fn change<K>(
        &self,
        kind: &'static str,
        change: Change<K>,
        store: &Store<K>,
    ) -> Result<(), CallError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + Serialize
            + DeserializeOwned,
    {
        let api = |object: &K| -> Api<K> {
            Api::namespaced(self.client.clone(), &object.namespace().unwrap_or_default())
        };
        match change {
            Change::Create(object) => {
                store.wrote(bounded("create", api(&object).create(&post(), &object)).await?);
            }
            Change::Replace(object) => {
                let name = object.name_any();
                store.wrote(bounded("replace", api(&object).replace(&name, &post(), &object)).await?);
            }
            Change::Delete(object) => {
                self.remove(&api(&object), &object.name_any(), object.uid()).await?;
                store.forget(&ObjectRef::from_obj(object.as_ref()));
            }
        }
        self.metrics.wrote(kind);
        Ok(())
    }

    /// Deletes the object of that very UID. One that is gone already, or another of its name, is no failure.
    pub(in crate::controller) async fn remove<K>(
        &self,
        api: &Api<K>,
        name: &str,
        uid: Option<String>,
    ) -> Result<(), CallError>
    where
        K: Clone + std::fmt::Debug + DeserializeOwned,
    {
        let preconditions = Some(Preconditions { uid, resource_version: None });
        let params = DeleteParams { preconditions, ..DeleteParams::background() };
        match bounded("delete", api.delete(name, &params)).await {
            Err(error) if error.is_not_found() || error.is_conflict() => Ok(()),
            other => other.map(drop),
        }
    }

    /// Deletes a published Secret whose key is gone.
    pub(in crate::controller) async fn delete_orphan(&self, secret: &SecretMeta) -> Result<(), CallError> {
        let secrets: Api<Secret> =
            Api::namespaced(self.client.clone(), &secret.namespace().unwrap_or_default());
        self.remove(&secrets, &secret.name_any(), secret.uid()).await?;
        self.metrics.wrote("Secret");
        Ok(())
    }
}
