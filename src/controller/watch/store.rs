//! What the controller knows of the cluster: kube's stores, what it wrote itself and has not seen come back
//! yet, and who belongs to whom.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ResourceQuota, Secret};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{self, ObjectRef};
use kube::{Resource, ResourceExt};
use parking_lot::Mutex;

use crate::api::{AccessKey, Account, ResourceGrant, ServiceAccount};

/// The metadata of a Secret: its data never enters a store.
pub(in crate::controller) type SecretMeta = PartialObjectMeta<Secret>;

/// Declares the stores once: what holds them, what feeds them, and when all of them are filled.
macro_rules! stores {
    ($($name:ident: $kind:ty;)*) => {
        /// Everything that is known.
        #[derive(Clone)]
        pub(in crate::controller) struct World {
            $(pub(in crate::controller) $name: Store<$kind>,)*
            pub(in crate::controller) relations: Arc<Mutex<Relations>>,
        }

        /// What each store is fed by.
        pub(in crate::controller) struct Writers {
            $(pub(in crate::controller) $name: Writer<$kind>,)*
        }

        impl World {
            pub(in crate::controller) fn new() -> (Self, Writers) {
                $(let $name = Store::new();)*
                let relations = Arc::default();
                (Self { $($name: $name.0,)* relations }, Writers { $($name: $name.1,)* })
            }

            /// Returns once the first list of every kind has arrived.
            pub(in crate::controller) async fn listed(&self) {
                // A store is only dropped with the feed, which runs as long as this does.
                $(let _ = self.$name.reader().wait_until_ready().await;)*
            }
        }
    };
}

stores! {
    accounts: Account;
    service_accounts: ServiceAccount;
    access_keys: AccessKey;
    grants: ResourceGrant;
    secrets: SecretMeta;
    roles: Role;
    bindings: RoleBinding;
    quotas: ResourceQuota;
}

/// What this process did to an object.
#[derive(Debug)]
pub(in crate::controller) enum Written<K: Resource<DynamicType = ()>> {
    /// It is like this now.
    Object(Box<K>),
    /// It is gone.
    Deleted(ObjectRef<K>),
}

impl<K: Resource<DynamicType = ()>> Written<K> {
    /// `object` as it is now.
    pub(in crate::controller) fn object(object: K) -> Self {
        Self::Object(Box::new(object))
    }
}

/// One kind's objects.
#[derive(Clone)]
pub(in crate::controller) struct Store<K>
where
    K: Resource<DynamicType = ()> + 'static,
{
    seen: reflector::Store<K>,
    written: Arc<Mutex<HashMap<ObjectRef<K>, Arc<K>>>>,
}

impl<K> Store<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + 'static,
{
    pub(in crate::controller) fn new() -> (Self, reflector::store::Writer<K>) {
        let (seen, writer) = reflector::store();
        (Self { seen, written: Arc::default() }, writer)
    }

    /// kube's own view of it.
    pub(in crate::controller) fn reader(&self) -> reflector::Store<K> {
        self.seen.clone()
    }

    /// The newest version that is known: the one that came by watch, or one that this process wrote and the
    /// watch has not brought yet. Without that, a pass could decide again what it has just done.
    pub(in crate::controller) fn get(&self, object: &ObjectRef<K>) -> Option<Arc<K>> {
        let seen = self.seen.get(object)?;
        Some(self.newest(object, seen))
    }

    /// As [`Self::get`], for an object that may not have come by watch at all yet.
    pub(in crate::controller) fn get_or_written(&self, object: &ObjectRef<K>) -> Option<Arc<K>> {
        self.get(object).or_else(|| self.written.lock().get(object).cloned())
    }

    fn newest(&self, object: &ObjectRef<K>, seen: Arc<K>) -> Arc<K> {
        let mut written = self.written.lock();
        match written.get(object) {
            Some(own) if own.uid() == seen.uid() && version(own.as_ref()) > version(seen.as_ref()) => {
                Arc::clone(own)
            }
            Some(_) => {
                written.remove(object);
                seen
            }
            None => seen,
        }
    }

    /// Remembers what this process wrote.
    pub(in crate::controller) fn wrote(&self, object: K) -> Arc<K> {
        let own = Arc::new(object);
        self.written.lock().insert(ObjectRef::from_obj(own.as_ref()), Arc::clone(&own));
        own
    }

    /// Remembers what this process did.
    pub(in crate::controller) fn changed(&self, written: Written<K>) {
        match written {
            Written::Object(object) => drop(self.wrote(*object)),
            Written::Deleted(object) => self.forget(&object),
        }
    }

    /// Forgets an object that is gone.
    pub(in crate::controller) fn forget(&self, object: &ObjectRef<K>) {
        self.written.lock().remove(object);
    }

    /// All of them, as they came by watch.
    pub(in crate::controller) fn all(&self) -> Vec<Arc<K>> {
        self.seen.state()
    }
}

/// Versions of one object compare as numbers (Kubernetes' "comparable resource version", in force since 1.35
/// and true of etcd before).
fn version<K: Resource>(object: &K) -> u64 {
    object.meta().resource_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or_default()
}

/// `namespace/name`, as some relations hold objects of several namespaces.
pub(in crate::controller) fn path(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

/// The object that a [`path`] leads to.
pub(in crate::controller) fn at_path<K: Resource<DynamicType = ()>>(path: &str) -> Option<ObjectRef<K>> {
    path.split_once('/').map(|(namespace, name)| ObjectRef::new(name).within(namespace))
}

/// Who belongs to whom, so that a change of one object finds those it concerns without a look at all of them.
#[derive(Debug, Default)]
pub(in crate::controller) struct Relations {
    /// Names of the keys of each service account, by namespace and service account name.
    pub(in crate::controller) keys: Groups<(String, String)>,
    /// Names of the service accounts of each namespace.
    pub(in crate::controller) service_accounts: Groups<String>,
    /// Names of the grants of each service account, by namespace and service account name.
    pub(in crate::controller) grants: Groups<(String, String)>,
    /// Published Secrets as `namespace/name`, by the UID of their key.
    pub(in crate::controller) published: Groups<String>,
    /// Keys as `namespace/name` that publish into each namespace other than their own.
    pub(in crate::controller) publishers: Groups<String>,
    /// Names of the Roles that let admins read each Secret, by namespace and Secret name.
    pub(in crate::controller) readers: Groups<(String, String)>,
}

/// Names in groups, kept in step with a watch.
#[derive(Debug)]
pub(in crate::controller) struct Groups<G> {
    current: HashMap<G, BTreeSet<String>>,
    listing: HashMap<G, BTreeSet<String>>,
}

impl<G> Default for Groups<G> {
    fn default() -> Self {
        Self { current: HashMap::new(), listing: HashMap::new() }
    }
}

impl<G: Eq + Hash> Groups<G> {
    pub(in crate::controller) fn insert(&mut self, group: G, name: String) {
        self.current.entry(group).or_default().insert(name);
    }

    pub(in crate::controller) fn remove(&mut self, group: &G, name: &str) {
        if let Some(names) = self.current.get_mut(group) {
            names.remove(name);
            if names.is_empty() {
                self.current.remove(group);
            }
        }
    }

    pub(in crate::controller) fn start_listing(&mut self) {
        self.listing = HashMap::new();
    }

    pub(in crate::controller) fn list(&mut self, group: G, name: String) {
        self.listing.entry(group).or_default().insert(name);
    }

    pub(in crate::controller) fn finish_listing(&mut self) {
        self.current = std::mem::take(&mut self.listing);
    }

    pub(in crate::controller) fn names(&self, group: &G) -> impl Iterator<Item = &String> {
        self.current.get(group).into_iter().flatten()
    }
}
