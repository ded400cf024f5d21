//! Reading objects: one, all of a kind, or their names alone.

use std::fmt::Debug;

use kube::api::ListParams;
use kube::core::{ClusterResourceScope, DeserializeGuard, PartialObjectMeta};
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use crate::kubectl::cluster::client::{Cluster, Scope};
use crate::kubectl::cluster::object::{NamespacedObject, kind_name};
use crate::kubectl::error::{self, Error};
use crate::kubectl::output::screen;

/// How many objects one page of a list has at most.
const PAGE: u32 = 500;

impl Cluster {
    /// An object, where there is one of that name.
    pub async fn find<K: NamespacedObject>(&self, name: &str) -> Result<Option<K>, Error> {
        let found = self.call(self.api::<K>(Scope::One).get(name)).await;
        match found {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.status().is_some_and(kube::core::Status::is_not_found) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An object that must be there.
    ///
    /// # Errors
    /// Where it is not, with the names that may have been meant, as far as the user may list them.
    pub async fn get<K: NamespacedObject>(&self, name: &str) -> Result<K, Error> {
        match self.find(name).await? {
            Some(object) => Ok(object),
            None => Err(self.not_found::<K>(name).await),
        }
    }

    pub async fn not_found<K: NamespacedObject>(&self, name: &str) -> Error {
        let names = self.names::<K>().await.ok();
        error::not_found(&kind_name::<K>(), name, self.namespace(), names.as_deref())
    }

    /// The names of all objects of a kind.
    pub async fn names<K: NamespacedObject>(&self) -> Result<Vec<String>, Error> {
        let api = self.api::<K>(Scope::One);
        let all = self.call(api.list_metadata(&ListParams::default().limit(PAGE))).await?;
        Ok(all.items.iter().map(PartialObjectMeta::name_any).collect())
    }

    /// All objects of a kind, or those that a field selector selects.
    pub async fn list<K: NamespacedObject>(&self, scope: Scope, fields: &str) -> Result<Vec<K>, Error> {
        let client = self.client().clone();
        let api: Api<DeserializeGuard<K>> = match scope {
            Scope::One => Api::namespaced(client, self.namespace()),
            Scope::All => Api::all(client),
        };
        self.pages(&api, fields).await
    }

    /// As [`Self::list`], for a kind that has no namespace.
    pub async fn list_cluster<K>(&self) -> Result<Vec<K>, Error>
    where
        K: Resource<DynamicType = (), Scope = ClusterResourceScope> + Clone + Debug + DeserializeOwned,
    {
        self.pages(&Api::<DeserializeGuard<K>>::all(self.client().clone()), "").await
    }

    async fn pages<K>(&self, api: &Api<DeserializeGuard<K>>, fields: &str) -> Result<Vec<K>, Error>
    where
        K: Resource + Clone + Debug + DeserializeOwned,
    {
        let mut all = Vec::new();
        let mut params =
            ListParams { field_selector: Some(fields.into()), ..ListParams::default() }.limit(PAGE);
        loop {
            let page = self.call(api.list(&params)).await?;
            all.extend(page.items.into_iter().filter_map(readable));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(all),
            }
        }
    }
}

/// One object that does not parse must not hide the others.
fn readable<K>(guard: DeserializeGuard<K>) -> Option<K> {
    match guard.0 {
        Ok(object) => Some(object),
        Err(invalid) => {
            let (namespace, name) = (invalid.metadata.namespace, invalid.metadata.name);
            let object = [namespace, name].into_iter().flatten().collect::<Vec<_>>().join("/");
            screen::warn(&format!("\"{object}\" is left out, since it cannot be read: {}", invalid.error));
            None
        }
    }
}
