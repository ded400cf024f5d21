//! From watch events to the stores. An object that does not parse is logged once and left out; the watch goes
//! on.

use std::fmt::Debug;

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

use crate::api::{OfKind, names};
use crate::controller::watch::queue::Queues;
use crate::controller::watch::store::{SecretMeta, Store, World, Writers};
use crate::controller::watch::triggers::{Triggers, object};
use crate::domain::object::Stamps;

/// Keeps `world` in step with the cluster, for ever.
pub(in crate::controller) async fn follow(
    client: Client,
    namespace: Option<String>,
    world: World,
    writers: Writers,
    queues: Queues,
    stamps: Stamps,
) {
    let Writers { accounts, service_accounts, access_keys, grants, secrets, roles, bindings, quotas } =
        writers;
    let namespace = namespace.as_deref();
    let triggers = Triggers { world: &world, queues: &queues, stamps, everywhere: namespace.is_none() };
    futures::join!(
        feed(objects(&client, namespace), accounts, &world.accounts, |event, before| {
            triggers.account(event, before);
        }),
        feed(objects(&client, namespace), service_accounts, &world.service_accounts, |event, before| {
            triggers.service_account(event, before);
        }),
        feed(objects(&client, namespace), access_keys, &world.access_keys, |event, before| {
            triggers.access_key(event, before);
        }),
        feed(objects(&client, namespace), grants, &world.grants, |event, before| {
            triggers.grant(event, before);
        }),
        feed(made_here(api::<SecretMeta>(&client, namespace)), secrets, &world.secrets, |event, _| {
            triggers.secret(event);
        }),
        feed(made_here(api::<Role>(&client, namespace)), roles, &world.roles, |event, before| {
            triggers.role(event, before);
        }),
        feed(made_here(api::<RoleBinding>(&client, namespace)), bindings, &world.bindings, |event, _| {
            triggers.owner(event);
        }),
        feed(made_here(api::<ResourceQuota>(&client, namespace)), quotas, &world.quotas, |event, before| {
            triggers.quota(event, before);
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
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + use<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + OfKind
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + 'static,
{
    watcher(api::<DeserializeGuard<K>>(client, namespace), watcher::Config::default())
        .default_backoff()
        .try_filter_map(move |event| std::future::ready(Ok(parsed(event))))
}

fn parsed<K: Resource + OfKind>(event: Event<DeserializeGuard<K>>) -> Option<Event<K>> {
    let parse = |guard: DeserializeGuard<K>| match guard.0 {
        Ok(mut object) => {
            // Nothing here reads them, and they are the larger part of many objects.
            object.meta_mut().managed_fields = None;
            Some(object)
        }
        Err(invalid) => {
            let (namespace, name) = (&invalid.metadata.namespace, &invalid.metadata.name);
            let kind = K::KIND.as_str();
            tracing::warn!(kind, ?namespace, ?name, error = %invalid.error, "an object does not parse and is left out");
            None
        }
    };
    match event {
        Event::Apply(guard) => parse(guard).map(Event::Apply),
        Event::InitApply(guard) => parse(guard).map(Event::InitApply),
        Event::Delete(guard) => parse(guard).map(Event::Delete),
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

/// Applies each event to the store, then hands it to `trigger` with the object as it was before.
async fn feed<K>(
    events: impl Stream<Item = Result<Event<K>, watcher::Error>>,
    mut writer: Writer<K>,
    store: &Store<K>,
    trigger: impl Fn(&Event<K>, Option<&K>),
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
                trigger(&event, before.as_deref());
            }
            Err(error) => tracing::warn!(%error, "a watch was interrupted and is taken up again"),
        }
    }
}
