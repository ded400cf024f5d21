//! From watch events to the stores, and from each change to those it concerns. An object that does not parse is told
//! once and left out; the watch goes on.

use std::fmt::Debug;
use std::sync::Arc;

use futures::{Stream, StreamExt, TryStreamExt};
use kube::core::{DeserializeGuard, NamespaceResourceScope};
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::queue::Queues;
use super::store::{SecretMeta, Store, World};
use crate::api::{ACCOUNT_NAME, AccessKey, Account, ServiceAccount, names};
use crate::domain::limits::Limits;

/// What each store is fed by.
pub(super) struct Writers {
    pub(super) accounts: Writer<Account>,
    pub(super) service_accounts: Writer<ServiceAccount>,
    pub(super) access_keys: Writer<AccessKey>,
    pub(super) secrets: Writer<SecretMeta>,
}

impl World {
    pub(super) fn new() -> (Self, Writers) {
        let (accounts, accounts_writer) = Store::new();
        let (service_accounts, service_accounts_writer) = Store::new();
        let (access_keys, access_keys_writer) = Store::new();
        let (secrets, secrets_writer) = Store::new();
        (
            Self { accounts, service_accounts, access_keys, secrets, relations: Arc::default() },
            Writers {
                accounts: accounts_writer,
                service_accounts: service_accounts_writer,
                access_keys: access_keys_writer,
                secrets: secrets_writer,
            },
        )
    }
}

/// Keeps `world` in step with the cluster, for ever.
pub(super) async fn follow(
    client: Client,
    namespace: Option<String>,
    world: World,
    writers: Writers,
    queues: Queues,
) {
    let Writers { accounts, service_accounts, access_keys, secrets } = writers;
    let namespace = namespace.as_deref();
    futures::join!(
        feed(objects(&client, namespace, "Account"), accounts, &world.accounts, |event, before| {
            account(&world, &queues, event, before);
        }),
        feed(
            objects(&client, namespace, "ServiceAccount"),
            service_accounts,
            &world.service_accounts,
            |event, before| {
                service_account(&world, &queues, event, before);
            }
        ),
        feed(objects(&client, namespace, "AccessKey"), access_keys, &world.access_keys, |event, before| {
            access_key(&world, &queues, event, before);
        }),
        feed(secret_metadata(api(&client, namespace)), secrets, &world.secrets, |event, _| {
            secret(&world, &queues, event);
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

fn secret_metadata(
    metadata: Api<SecretMeta>,
) -> impl Stream<Item = Result<Event<SecretMeta>, watcher::Error>> + Send {
    let ours = watcher::Config::default().labels(&format!("{}={}", names::MANAGED_BY, names::KEYWARD));
    watcher(metadata, ours).default_backoff().modify(|secret| secret.metadata.managed_fields = None)
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

fn object<K>(event: &Event<K>) -> Option<&K> {
    match event {
        Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) => Some(object),
        Event::Init | Event::InitDone => None,
    }
}

/// A change to an account concerns itself, and those whose admission or limits it moves.
fn account(world: &World, queues: &Queues, event: &Event<Account>, before: Option<&Account>) {
    let Some(now) = object(event) else {
        return after_list(event, world, queues);
    };
    if matches!(event, Event::InitApply(_)) {
        return;
    }
    queues.account(ObjectRef::from_obj(now));
    let deleted = matches!(event, Event::Delete(_));
    let limits = |account: &Account| Limits::from_spec(account.spec.limits.as_ref());
    let seats = |account: Option<&Account>| {
        account.and_then(|a| a.status.as_ref()).map(|s| s.seats.clone()).unwrap_or_default()
    };
    let same_limits = !deleted && before.map(limits) == Some(limits(now));
    let (old, new) = (seats(before), seats(Some(now)));
    let namespace = now.namespace().unwrap_or_default();
    let names: Vec<String> = world.relations.lock().service_accounts.names(&namespace).cloned().collect();
    for name in names {
        let of = |seats: &[crate::api::shared::Seat]| seats.iter().find(|seat| seat.name == name).cloned();
        let (was, is) = (of(&old), of(&new));
        if !same_limits || was != is || is.is_none() {
            queues.seats(ObjectRef::new(&name).within(&namespace));
        }
        if !same_limits || was.map(|seat| seat.uid) != is.map(|seat| seat.uid) {
            keys_of(world, queues, &namespace, &name);
        }
    }
}

/// A change to a service account concerns itself, its account, and, where it moves what keys read of it, its keys.
fn service_account(
    world: &World,
    queues: &Queues,
    event: &Event<ServiceAccount>,
    before: Option<&ServiceAccount>,
) {
    relate(&mut world.relations.lock().service_accounts, event, |object| {
        object.namespace().unwrap_or_default()
    });
    let Some(now) = object(event) else {
        return after_list(event, world, queues);
    };
    if matches!(event, Event::InitApply(_)) {
        return;
    }
    let deleted = matches!(event, Event::Delete(_));
    let version = |object: &ServiceAccount| (object.uid(), object.metadata.generation);
    let state = |object: &ServiceAccount| object.status.as_ref().and_then(|status| status.state);
    if deleted || before.map(version) != Some(version(now)) {
        queues.account(account_of(now));
        queues.seats(ObjectRef::from_obj(now));
    } else {
        // Only its status moved, mostly by this controller's own hand: that must not set off the next write at once.
        queues.counts(ObjectRef::from_obj(now));
    }
    if before.map(state) != Some(state(now)) {
        // Its refusal, or the end of it, stands in the account's log too.
        queues.account(account_of(now));
    }
    if deleted || before.map(read_by_keys) != Some(read_by_keys(now)) {
        keys_of(world, queues, &now.namespace().unwrap_or_default(), &now.name_any());
    }
}

fn read_by_keys(object: &ServiceAccount) -> impl PartialEq + use<'_> {
    let status = object.status.as_ref();
    (object.uid(), object.spec.state, status.map(|status| (&status.seats, &status.removable_keys)))
}

/// A change to a key concerns itself and its service account.
fn access_key(world: &World, queues: &Queues, event: &Event<AccessKey>, before: Option<&AccessKey>) {
    relate(&mut world.relations.lock().keys, event, |key| {
        (key.namespace().unwrap_or_default(), key.spec.service_account_name.clone())
    });
    let Some(now) = object(event) else {
        return after_list(event, world, queues);
    };
    match event {
        Event::InitApply(_) | Event::Init | Event::InitDone => {}
        Event::Delete(_) => queues.seats(service_account_of(now)),
        Event::Apply(_) => {
            queues.key(ObjectRef::from_obj(now));
            if before.map(|key| (key.uid(), key.metadata.generation))
                == Some((now.uid(), now.metadata.generation))
            {
                queues.counts(service_account_of(now));
            } else {
                queues.seats(service_account_of(now));
            }
        }
    }
}

/// A change to a Secret concerns the key that owns it.
fn secret(world: &World, queues: &Queues, event: &Event<SecretMeta>) {
    let Some(secret) = object(event) else {
        return after_list(event, world, queues);
    };
    let owner = secret
        .owner_references()
        .iter()
        .find(|owner| owner.controller == Some(true) && owner.kind == "AccessKey");
    if let Some(owner) = owner {
        queues.key(ObjectRef::new(&owner.name).within(&secret.namespace().unwrap_or_default()));
    }
}

/// After a list anything may have changed while nobody watched: everything is looked at.
fn after_list<K>(event: &Event<K>, world: &World, queues: &Queues) {
    if !matches!(event, Event::InitDone) {
        return;
    }
    world.accounts.all().iter().for_each(|account| queues.account(ObjectRef::from_obj(account.as_ref())));
    world.service_accounts.all().iter().for_each(|object| queues.seats(ObjectRef::from_obj(object.as_ref())));
    world.access_keys.all().iter().for_each(|key| queues.key(ObjectRef::from_obj(key.as_ref())));
}

fn relate<K, G>(groups: &mut super::store::Groups<G>, event: &Event<K>, group: impl Fn(&K) -> G)
where
    K: ResourceExt,
    G: Eq + std::hash::Hash,
{
    match event {
        Event::Apply(object) => groups.insert(group(object), object.name_any()),
        Event::Delete(object) => groups.remove(&group(object), &object.name_any()),
        Event::Init => groups.start_listing(),
        Event::InitApply(object) => groups.list(group(object), object.name_any()),
        Event::InitDone => groups.finish_listing(),
    }
}

fn keys_of(world: &World, queues: &Queues, namespace: &str, service_account: &str) {
    let group = (namespace.to_owned(), service_account.to_owned());
    for name in world.relations.lock().keys.names(&group) {
        queues.key(ObjectRef::new(name).within(namespace));
    }
}

fn account_of(object: &ServiceAccount) -> ObjectRef<Account> {
    ObjectRef::new(ACCOUNT_NAME).within(&object.namespace().unwrap_or_default())
}

fn service_account_of(key: &AccessKey) -> ObjectRef<ServiceAccount> {
    ObjectRef::new(&key.spec.service_account_name).within(&key.namespace().unwrap_or_default())
}
