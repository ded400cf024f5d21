//! The way to the cluster: the user's own kubeconfig and rights, a bound on every call, and errors that say
//! what to do.

use std::sync::Arc;
use std::time::Duration;

use http::Response;
use kube::client::ClientBuilder;
use kube::{Api, Client, Config};
use tower::util::MapResponseLayer;

use crate::kubectl::cluster::object::NamespacedObject;
use crate::kubectl::cluster::warnings::Warnings;
use crate::kubectl::error::Error;

/// Which namespaces are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The one that is chosen.
    One,
    /// Every one.
    All,
}

/// A cluster, as one user reaches it.
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

    pub fn api<K: NamespacedObject>(&self, scope: Scope) -> Api<K> {
        match scope {
            Scope::One => Api::namespaced(self.client.clone(), &self.namespace),
            Scope::All => Api::all(self.client.clone()),
        }
    }

    /// Runs a call for as long as any may take.
    ///
    /// # Errors
    /// As the call's own, in words for the user.
    pub async fn call<T>(&self, call: impl Future<Output = kube::Result<T>>) -> Result<T, Error> {
        match tokio::time::timeout(self.within, call).await {
            Ok(answer) => answer.map_err(|error| Error::of_call(error, &self.server)),
            Err(_) => Err(Error::Timeout { server: self.server.clone(), within: self.within }),
        }
    }
}
