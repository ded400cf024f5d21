//! Keeps the index in step with the cluster: list, then watch, and list again where the watch has been away
//! for too long.
//!
//! It watches by itself rather than with kube's `watcher`, which keeps bookmarks and the end of a quiet watch
//! to itself: both say that nothing was missed, and the verifier has to know since when it cannot say so.

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::core::{DeserializeGuard, NamespaceResourceScope, ObjectMeta};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::api::{AccessKey, ResourceGrant, ServiceAccount};
use crate::domain::verdict::{GrantFacts, KeyFacts, ServiceAccountFacts};
use crate::runtime::client::{CallError, bounded};
use crate::runtime::spawner::Spawner;
use crate::runtime::telemetry::with_causes;
use crate::verifier::check::checker::Checker;
use crate::verifier::freshness::{Followed, Freshness};
use crate::verifier::index::{Index, ObjectName, Version};

/// How many objects a page of a list has.
const PAGE: u32 = 500;
/// The longest watch, in seconds. The API server ends it then, which is how a dead connection differs from a
/// quiet one.
const LONGEST_WATCH: u64 = 240;
/// How long the end of a watch may be late.
const GRACE: Duration = Duration::from_secs(5);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How objects of one kind go into the index.
trait Indexed:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    const KIND: Followed;
    fn put(&self, index: &Index, name: (&str, &str));
    fn forget(index: &Index, name: (&str, &str));
    fn only(index: &Index, listed: &HashSet<ObjectName>);
}

impl Indexed for AccessKey {
    const KIND: Followed = Followed::AccessKeys;

    fn put(&self, index: &Index, name: (&str, &str)) {
        let version = Version {
            uid: self.metadata.uid.as_deref().unwrap_or_default(),
            resource_version: self.metadata.resource_version.as_deref().unwrap_or_default(),
        };
        index.key(name, version, KeyFacts::of(self));
    }

    fn forget(index: &Index, name: (&str, &str)) {
        index.key(name, Version::default(), None);
    }

    fn only(index: &Index, listed: &HashSet<ObjectName>) {
        index.only_keys(listed);
    }
}

impl Indexed for ServiceAccount {
    const KIND: Followed = Followed::ServiceAccounts;

    fn put(&self, index: &Index, name: (&str, &str)) {
        index.service_account(name, ServiceAccountFacts::of(self));
    }

    fn forget(index: &Index, name: (&str, &str)) {
        index.service_account(name, None);
    }

    fn only(index: &Index, listed: &HashSet<ObjectName>) {
        index.only_service_accounts(listed);
    }
}

impl Indexed for ResourceGrant {
    const KIND: Followed = Followed::ResourceGrants;

    fn put(&self, index: &Index, name: (&str, &str)) {
        index.grant(name, GrantFacts::of(self));
    }

    fn forget(index: &Index, name: (&str, &str)) {
        index.grant(name, None);
    }

    fn only(index: &Index, listed: &HashSet<ObjectName>) {
        index.only_grants(listed);
    }
}

/// Follows every kind, for ever, each in a task of its own.
pub async fn follow(client: Client, namespace: Option<String>, checker: Arc<Checker>, spawner: &Spawner) {
    let namespace = namespace.as_deref();
    futures::join!(
        spawner.apart(Follower::<AccessKey>::new(&client, namespace, &checker).run()),
        spawner.apart(Follower::<ServiceAccount>::new(&client, namespace, &checker).run()),
        spawner.apart(Follower::<ResourceGrant>::new(&client, namespace, &checker).run()),
    );
}

struct Follower<K> {
    api: Api<DeserializeGuard<K>>,
    index: Arc<Index>,
    freshness: Arc<Freshness>,
}

/// Why following was interrupted.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("watch")]
    Watch(#[source] Box<kube::Error>),
    #[error("watch: {0}")]
    Status(String),
    #[error("watch: nothing was heard, not even its end")]
    Silent,
}

impl<K: Indexed> Follower<K> {
    fn new(client: &Client, namespace: Option<&str>, checker: &Checker) -> Self {
        let api = match namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::all(client.clone()),
        };
        Self { api, index: Arc::clone(&checker.index), freshness: Arc::clone(&checker.freshness) }
    }

    async fn run(self) {
        let mut version = None;
        let mut pause = SHORTEST_PAUSE;
        loop {
            match self.step(&mut version).await {
                Ok(()) => pause = SHORTEST_PAUSE,
                Err(error) => {
                    let (kind, error) = (K::KIND.as_str(), with_causes(&error));
                    tracing::warn!(kind, error, pause_ms = pause.as_millis(), "interrupted; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Lists, or watches from where it was. `version` moves on with every event, so that after an
    /// interruption no object is seen again as it was before.
    async fn step(&self, version: &mut Option<String>) -> Result<(), Error> {
        match version {
            None => *version = Some(self.list().await?),
            Some(known) => {
                if !self.watch(known).await? {
                    *version = None;
                }
            }
        }
        Ok(())
    }

    async fn list(&self) -> Result<String, Error> {
        let mut listed = HashSet::new();
        let mut params = ListParams::default().limit(PAGE);
        loop {
            let page = bounded("list", self.api.list(&params)).await?;
            for object in page.items {
                listed.insert(self.put(object));
            }
            let Some(token) = page.metadata.continue_.filter(|token| !token.is_empty()) else {
                K::only(&self.index, &listed);
                self.freshness.heard(K::KIND);
                tracing::debug!(kind = K::KIND.as_str(), objects = listed.len(), "listed");
                return Ok(page.metadata.resource_version.unwrap_or_default());
            };
            params = params.continue_token(&token);
        }
    }

    /// Watches until the API server ends it; says whether it may go on from `version`, or is too old for
    /// that.
    async fn watch(&self, version: &mut String) -> Result<bool, Error> {
        let longest = (self.freshness.bound().as_secs() / 3).clamp(1, LONGEST_WATCH);
        let params = WatchParams::default().timeout(u32::try_from(longest).unwrap_or(u32::MAX));
        let events = match bounded("watch", self.api.watch(&params, version)).await {
            Ok(events) => events,
            Err(error) if error.status().is_some_and(|status| status.code == 410) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        self.freshness.heard(K::KIND);
        let mut events = std::pin::pin!(events.map_err(|error| Error::Watch(Box::new(error))));
        let patience = Duration::from_secs(longest) + GRACE;
        while let Some(event) = timeout(patience, events.next()).await.map_err(|_| Error::Silent)? {
            match self.event(event?)? {
                Some(next) => *version = next,
                None => return Ok(false),
            }
        }
        self.freshness.heard(K::KIND);
        Ok(true)
    }

    /// Takes in an event; gives the version that it brings, or `None` where the watch is too old to go on.
    fn event(&self, event: WatchEvent<DeserializeGuard<K>>) -> Result<Option<String>, Error> {
        let version = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                let version = object.meta().resource_version.clone().unwrap_or_default();
                self.put(object);
                version
            }
            WatchEvent::Deleted(object) => {
                let version = object.meta().resource_version.clone().unwrap_or_default();
                let (namespace, name) = name_of(object.meta());
                K::forget(&self.index, (&namespace, &name));
                version
            }
            WatchEvent::Bookmark(bookmark) => bookmark.metadata.resource_version,
            WatchEvent::Error(status) if status.code == 410 => return Ok(None),
            WatchEvent::Error(status) => return Err(Error::Status(status.message.clone())),
        };
        self.freshness.heard(K::KIND);
        Ok(Some(version))
    }

    /// One that does not parse is logged and forgotten: what it says now is not what is known of it.
    fn put(&self, object: DeserializeGuard<K>) -> ObjectName {
        let full_name = name_of(object.meta());
        let (namespace, name) = (full_name.0.as_str(), full_name.1.as_str());
        match object.0 {
            Ok(object) => object.put(&self.index, (namespace, name)),
            Err(invalid) => {
                let kind = K::KIND.as_str();
                tracing::warn!(kind, namespace, name, error = %invalid.error, "an object does not parse and is left out");
                K::forget(&self.index, (namespace, name));
            }
        }
        full_name
    }
}

fn name_of(metadata: &ObjectMeta) -> ObjectName {
    (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default())
}
