//! The way to the cluster: the person's own kubeconfig and rights, a bound on every call, and errors that say what to do.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::client::ClientBuilder;
use kube::core::{ClusterResourceScope, DeserializeGuard, NamespaceResourceScope, PartialObjectMeta};
use kube::{Api, Client, Config, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::util::MapResponseLayer;

use crate::api::{AccessKey, Account, ResourceGrant, ServiceAccount};
use crate::kubectl::cluster::change::DryRun;
use crate::kubectl::cluster::warnings::Warnings;
use crate::kubectl::error;
use crate::kubectl::error::Error;
use crate::kubectl::output::screen;

/// Who changes fields, as `managedFields` name it.
pub const FIELD_MANAGER: &str = "kubectl-keyward";
/// How many objects a list asks for at once.
const PAGE: u32 = 500;

/// What the commands do with objects in a namespace.
pub trait Kind:
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

impl Kind for Account {}
impl Kind for ServiceAccount {}
impl Kind for AccessKey {}
impl Kind for ResourceGrant {}
impl Kind for Secret {}
impl Kind for Role {}
impl Kind for RoleBinding {}

/// Which namespaces are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The one that is chosen.
    One,
    /// Every one.
    All,
}

/// A cluster that is talked to as one person.
pub struct Cluster {
    client: Client,
    server: String,
    namespace: String,
    within: Duration,
}

impl Cluster {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// Where the configuration cannot be used.
    pub fn new(config: Config, namespace: String, within: Duration) -> Result<Self, Error> {
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let shown = Arc::new(Warnings::default());
        let warn = MapResponseLayer::new(move |response: Response<_>| {
            shown.show(response.headers());
            response
        });
        let builder = ClientBuilder::try_from(config).map_err(|error| Error::of_call(error, &server))?;
        Ok(Self { client: builder.with_layer(&warn).build(), server, namespace, within })
    }

    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    pub fn server(&self) -> &str {
        &self.server
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The same cluster, with another namespace chosen.
    pub fn with_namespace(&self, namespace: String) -> Self {
        let Self { client, server, namespace: _, within } = self;
        Self { client: client.clone(), server: server.clone(), namespace, within: *within }
    }

    pub fn api<K: Kind>(&self, scope: Scope) -> Api<K> {
        match scope {
            Scope::One => Api::namespaced(self.client.clone(), &self.namespace),
            Scope::All => Api::all(self.client.clone()),
        }
    }

    /// Runs a call for as long as any may take.
    ///
    /// # Errors
    /// As the call's own, in words for the person who asked.
    pub async fn call<T>(&self, call: impl Future<Output = kube::Result<T>>) -> Result<T, Error> {
        match tokio::time::timeout(self.within, call).await {
            Ok(answer) => answer.map_err(|error| Error::of_call(error, &self.server)),
            Err(_) => Err(Error::Timeout { server: self.server.clone(), within: self.within }),
        }
    }

    /// An object, where there is one of that name.
    pub async fn find<K: Kind>(&self, name: &str) -> Result<Option<K>, Error> {
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
    /// Where it is not, with the names that may have been meant, as far as the person may list them.
    pub async fn get<K: Kind>(&self, name: &str) -> Result<K, Error> {
        match self.find(name).await? {
            Some(object) => Ok(object),
            None => Err(self.not_found::<K>(name).await),
        }
    }

    pub async fn not_found<K: Kind>(&self, name: &str) -> Error {
        let names = self.names::<K>().await.ok();
        error::not_found(&kind::<K>(), name, &self.namespace, names.as_deref())
    }

    /// The names of all objects of a kind.
    pub async fn names<K: Kind>(&self) -> Result<Vec<String>, Error> {
        let api = self.api::<K>(Scope::One);
        let all = self.call(api.list_metadata(&ListParams::default().limit(PAGE))).await?;
        Ok(all.items.iter().map(PartialObjectMeta::name_any).collect())
    }

    /// All objects of a kind, or those that a field selector selects.
    pub async fn list<K: Kind>(&self, scope: Scope, fields: &str) -> Result<Vec<K>, Error> {
        let api: Api<DeserializeGuard<K>> = match scope {
            Scope::One => Api::namespaced(self.client.clone(), &self.namespace),
            Scope::All => Api::all(self.client.clone()),
        };
        self.pages(&api, fields).await
    }

    /// As [`Self::list`], for a kind that stands in no namespace.
    pub async fn list_cluster<K>(&self) -> Result<Vec<K>, Error>
    where
        K: Resource<DynamicType = (), Scope = ClusterResourceScope> + Clone + Debug + DeserializeOwned,
    {
        self.pages(&Api::<DeserializeGuard<K>>::all(self.client.clone()), "").await
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

    pub async fn create<K: Kind>(&self, object: &K, dry_run: DryRun) -> Result<K, Error> {
        let params =
            PostParams { dry_run: dry_run == DryRun::Server, field_manager: Some(FIELD_MANAGER.into()) };
        self.call(self.api::<K>(Scope::One).create(&params, object)).await
    }

    /// Merges `patch` into an object (RFC 7386).
    pub async fn merge<K: Kind>(&self, name: &str, patch: &Value, dry_run: DryRun) -> Result<K, Error> {
        let params = PatchParams {
            dry_run: dry_run == DryRun::Server,
            field_manager: Some(FIELD_MANAGER.into()),
            ..PatchParams::default()
        };
        self.call(self.api::<K>(Scope::One).patch(name, &params, &Patch::Merge(patch))).await
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

/// A kind with its group, as messages name it.
pub fn kind<K: Kind>() -> String {
    match K::group(&()).as_ref() {
        "" => K::kind(&()).into_owned(),
        group => format!("{}.{group}", K::kind(&())),
    }
}

/// An object as kubectl names it, such as `accesskey.iam.keyward.dev/deploy`.
pub fn reference<K: Kind>(object: &K) -> String {
    format!("{}/{}", kind::<K>().to_lowercase(), object.name_any())
}

/// The field selector that finds what belongs to a service account.
pub fn of_service_account(name: &str) -> String {
    format!("spec.serviceAccountName={name}")
}
