//! From watch events to the stores. An object that does not parse is told once and left out; the watch goes on.

use std::fmt::Debug;
use std::sync::Arc;

use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::core::{DeserializeGuard, NamespaceResourceScope};
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use crate::api::{AccessKey, Account, ResourceGrant, ServiceAccount, names};
use crate::controller::watch::queue::Queues;
use crate::controller::watch::store::{SecretMeta, Store, World};
use crate::controller::watch::triggers::{Concerned, object};

/// What each store is fed by.
pub(in crate::controller) struct Writers {
    pub(in crate::controller) accounts: Writer<Account>,
    pub(in crate::controller) service_accounts: Writer<ServiceAccount>,
    pub(in crate::controller) access_keys: Writer<AccessKey>,
    pub(in crate::controller) grants: Writer<ResourceGrant>,
    pub(in crate::controller) secrets: Writer<SecretMeta>,
    pub(in crate::controller) roles: Writer<Role>,
    pub(in crate::controller) bindings: Writer<RoleBinding>,
    pub(in crate::controller) quotas: Writer<ResourceQuota>,
}

impl World {
    pub(in crate::controller) fn new() -> (Self, Writers) {
        let (accounts, accounts_writer) = Store::new();
        let (service_accounts, service_accounts_writer) = Store::new();
        let (access_keys, access_keys_writer) = Store::new();
        let (grants, grants_writer) = Store::new();
        let (secrets, secrets_writer) = Store::new();
        let (roles, roles_writer) = Store::new();
        let (bindings, bindings_writer) = Store::new();
        let (quotas, quotas_writer) = Store::new();
        let relations = Arc::default();
        (
            Self {
                accounts,
                service_accounts,
                access_keys,
                grants,
                secrets,
                roles,
                bindings,
                quotas,
                relations,
            },
            Writers {
                accounts: accounts_writer,
                service_accounts: service_accounts_writer,
                access_keys: access_keys_writer,
                grants: grants_writer,
                secrets: secrets_writer,
                roles: roles_writer,
                bindings: bindings_writer,
                quotas: quotas_writer,
            },
        )
    }
}

/// Keeps `world` in step with the cluster, for ever.
pub(in crate::controller) async fn follow(
    client: Client,
    namespace: Option<String>,
    world: World,
    writers: Writers,
    queues: Queues,
) {
    let Writers { accounts, service_accounts, access_keys, grants, secrets, roles, bindings, quotas } =
        writers;
    let namespace = namespace.as_deref();
    let concerned = Concerned { world: &world, queues: &queues, everywhere: namespace.is_none() };
    futures::join!(
        feed(objects(&client, namespace, "Account"), accounts, &world.accounts, |event, before| {
            concerned.account(event, before);
        }),
        feed(
            objects(&client, namespace, "ServiceAccount"),
            service_accounts,
            &world.service_accounts,
            |event, before| concerned.service_account(event, before)
        ),
        feed(objects(&client, namespace, "AccessKey"), access_keys, &world.access_keys, |event, before| {
            concerned.access_key(event, before);
        }),
        feed(objects(&client, namespace, "ResourceGrant"), grants, &world.grants, |event, _| {
            concerned.grant(event);
        }),
        feed(made_here(api::<SecretMeta>(&client, namespace)), secrets, &world.secrets, |event, _| {
            concerned.secret(event);
        }),
        feed(made_here(api::<Role>(&client, namespace)), roles, &world.roles, |event, before| {
            concerned.role(event, before);
        }),
        feed(made_here(api::<RoleBinding>(&client, namespace)), bindings, &world.bindings, |event, _| {
            concerned.owner(event);
        }),
        feed(made_here(api::<ResourceQuota>(&client, namespace)), quotas, &world.quotas, |event, before| {
            concerned.quota(event, before);
        }),
    );
}

fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// A watch of whole objects that survives one that does not parse.
fn objects<K>(
    client: &Client,
    namespace: Option<&str>,
    kind: &'static str,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + use<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + 'static,
{
    watcher(api::<DeserializeGuard<K>>(client, namespace), watcher::Config::default())
        .default_backoff()
        .try_filter_map(move |event| std::future::ready(Ok(parsed(event, kind))))
}

fn parsed<K: Resource>(event: Event<DeserializeGuard<K>>, kind: &'static str) -> Option<Event<K>> {
    let told = |guard: DeserializeGuard<K>| match guard.0 {
        Ok(mut object) => {
            // Nothing here reads them, and they are the larger part of many objects.
            object.meta_mut().managed_fields = None;
            Some(object)
        }
        Err(invalid) => {
            let (namespace, name) = (&invalid.metadata.namespace, &invalid.metadata.name);
            tracing::warn!(kind, ?namespace, ?name, error = %invalid.error, "an object does not parse and is left out");
            None
        }
    };
    match event {
        Event::Apply(guard) => told(guard).map(Event::Apply),
        Event::InitApply(guard) => told(guard).map(Event::InitApply),
        Event::Delete(guard) => told(guard).map(Event::Delete),
        Event::Init => Some(Event::Init),
        Event::InitDone => Some(Event::InitDone),
    }
}

/// A watch of the objects that the controller makes itself.
fn made_here<K>(api: Api<K>) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let ours = watcher::Config::default().labels(&format!("{}={}", names::MANAGED_BY, names::KEYWARD));
    watcher(api, ours).default_backoff().modify(|object| object.meta_mut().managed_fields = None)
}

/// Applies each event to the store, then tells `concerned` about it with the object as it was before.
async fn feed<K>(
    events: impl Stream<Item = Result<Event<K>, watcher::Error>>,
    mut writer: Writer<K>,
    store: &Store<K>,
    concerned: impl Fn(&Event<K>, Option<&K>),
) where
    K: Resource<DynamicType = ()> + Clone + Debug + 'static,
{
    let mut events = std::pin::pin!(events);
    let reader = store.reader();
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                let before = object(&event).and_then(|object| reader.get(&ObjectRef::from_obj(object)));
                writer.apply_watcher_event(&event);
                if let Event::Delete(gone) = &event {
                    store.forget(&ObjectRef::from_obj(gone));
                }
                concerned(&event, before.as_deref());
            }
            Err(error) => tracing::warn!(%error, "a watch was interrupted and is taken up again"),
        }
    }
}
