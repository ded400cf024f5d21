//! Writes of whole objects and of their status, the same for every kind.

use std::fmt::Debug;

use kube::api::{DeleteParams, Patch, Preconditions};
use kube::core::NamespaceResourceScope;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::api::OfKind;
use crate::controller::apply::{Applier, status_patch};
use crate::controller::error::Error;
use crate::controller::field_manager::{patch, post};
use crate::controller::watch::store::Written;
use crate::domain::change::Change;
use crate::runtime::client::{CallError, bounded};

impl Applier {
    /// Writes a status with the version that it was computed from. All of it is as given then, whoever wrote
    /// to it before, but for the fields in `left`, which are others' to write.
    pub(super) async fn write_status<K>(
        &self,
        object: &K,
        status: impl Serialize + Send,
        left: &[&str],
    ) -> Result<K, Error>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + OfKind
            + Clone
            + Debug
            + DeserializeOwned,
    {
        let name = object.name_any();
        let status = serde_json::to_value(status).map_err(Error::Json)?;
        let body = json!({
            "metadata": { "resourceVersion": object.resource_version() },
            "status": status_patch::patch(K::KIND, status, left),
        });
        let api = self.beside::<K>(object);
        let operation = format!("patch {} status", K::KIND);
        let mut written = bounded(operation, api.patch_status(&name, &patch(), &Patch::Merge(body))).await?;
        written.meta_mut().managed_fields = None;
        self.metrics.wrote(K::KIND);
        Ok(written)
    }

    /// Carries out the change of a whole object. One of that name that is someone else's is never taken over.
    pub(super) async fn change<K>(&self, change: Change<K>) -> Result<Written<K>, CallError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + OfKind
            + Clone
            + Debug
            + Serialize
            + DeserializeOwned,
    {
        let written = match change {
            Change::Create(object) => {
                let api = self.beside::<K>(object.as_ref());
                let operation = format!("create {}", K::KIND);
                Written::object(bounded(operation, api.create(&post(), &object)).await?)
            }
            Change::Replace(object) => {
                let (name, api) = (object.name_any(), self.beside::<K>(object.as_ref()));
                Written::object(
                    bounded(format!("update {}", K::KIND), api.replace(&name, &post(), &object)).await?,
                )
            }
            Change::Delete(object) => {
                let api = self.beside::<K>(object.as_ref());
                self.remove(&api, &object.name_any(), object.uid()).await?;
                Written::Deleted(ObjectRef::from_obj(object.as_ref()))
            }
        };
        self.metrics.wrote(K::KIND);
        Ok(written)
    }

    /// Deletes the object of that very UID. One that is gone already, or another of its name, is no failure.
    pub(super) async fn remove<K>(
        &self,
        api: &Api<K>,
        name: &str,
        uid: Option<String>,
    ) -> Result<(), CallError>
    where
        K: OfKind + Clone + Debug + DeserializeOwned,
    {
        let preconditions = Some(Preconditions { uid, resource_version: None });
        let params = DeleteParams { preconditions, ..DeleteParams::background() };
        match bounded(format!("delete {}", K::KIND), api.delete(name, &params)).await {
            Err(error) if error.is_not_found() || error.is_conflict() => Ok(()),
            other => other.map(drop),
        }
    }

    /// Objects of kind `K` in the namespace of `object`.
    pub(super) fn beside<K>(&self, object: &impl ResourceExt) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &object.namespace().unwrap_or_default())
    }
}
