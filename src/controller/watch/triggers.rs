//! From each change to those it concerns: who is to be looked at next.

use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::rbac::v1::Role;
use kube::core::NamespaceResourceScope;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};

use crate::api::shared::Seat;
use crate::api::{ACCOUNT_NAME, AccessKey, Account, ResourceGrant, ServiceAccount, names};
use crate::controller::observe::{at_a_glance, recorded_since, unused_of};
use crate::controller::watch::queue::Queues;
use crate::controller::watch::store::{Groups, SecretMeta, World, at_path, path};
use crate::domain::access_key::publish::secrets::other_namespaces;
use crate::domain::account::limits::Limits;
use crate::domain::admins::readable;

/// Tells the queues.
#[derive(Clone, Copy)]
pub(in crate::controller) struct Concerned<'a> {
    pub(in crate::controller) world: &'a World,
    pub(in crate::controller) queues: &'a Queues,
    /// All namespaces are watched.
    pub(in crate::controller) everywhere: bool,
}

/// The object of an event that has one.
pub(in crate::controller) fn object<K>(event: &Event<K>) -> Option<&K> {
    match event {
        Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) => Some(object),
        Event::Init | Event::InitDone => None,
    }
}

impl Concerned<'_> {
    /// A change to an account concerns itself, those whose admission or limits it moves, and those who publish there.
    pub(in crate::controller) fn account(self, event: &Event<Account>, before: Option<&Account>) {
        let Self { world, queues, .. } = self;
        let Some(now) = object(event) else { return self.after_list(event) };
        if matches!(event, Event::InitApply(_)) {
            return;
        }
        queues.account(ObjectRef::from_obj(now));
        let deleted = matches!(event, Event::Delete(_));
        let namespace = now.namespace().unwrap_or_default();
        let limits = |account: &Account| Limits::from_spec(account.spec.limits.as_ref());
        let policy = |account: &Account| (limits(account), unused_of(account), recorded_since(account));
        let same_limits = !deleted && before.map(policy) == Some(policy(now));
        let (old, new) = (seats(before), seats(Some(now)));
        let names: Vec<String> = world.relations.lock().service_accounts.names(&namespace).cloned().collect();
        for name in names {
            let of = |seats: &[Seat]| seats.iter().find(|seat| seat.name == name).cloned();
            let (was, is) = (of(&old), of(&new));
            if !same_limits || was != is || is.is_none() {
                queues.seats(ObjectRef::new(&name).within(&namespace));
            }
            if !same_limits || was.map(|seat| seat.uid) != is.map(|seat| seat.uid) {
                self.keys_of(&namespace, &name);
            }
        }
        let accepted = |account: &Account| account.spec.accept_secrets_from.clone();
        if deleted || before.map(accepted) != Some(accepted(now)) {
            let publishers: Vec<String> =
                world.relations.lock().publishers.names(&namespace).cloned().collect();
            publishers.iter().filter_map(|key| at_path(key)).for_each(|key| queues.key(key));
        }
    }

    /// A change to a service account concerns itself, its account, and, where it moves what they read of it, its keys and
    /// grants.
    pub(in crate::controller) fn service_account(
        self,
        event: &Event<ServiceAccount>,
        before: Option<&ServiceAccount>,
    ) {
        let Self { world, queues, .. } = self;
        relate(&mut world.relations.lock().service_accounts, event, ResourceExt::name_any, |object| {
            object.namespace().unwrap_or_default()
        });
        let Some(now) = object(event) else { return self.after_list(event) };
        if matches!(event, Event::InitApply(_)) {
            return;
        }
        let (namespace, name) = (now.namespace().unwrap_or_default(), now.name_any());
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
        } else if before.map(at_a_glance) != Some(at_a_glance(now)) {
            queues.glance(account_of(now));
        }
        if deleted || before.map(read_by_keys) != Some(read_by_keys(now)) {
            self.keys_of(&namespace, &name);
        }
        if deleted || before.is_none() {
            let grants: Vec<String> =
                world.relations.lock().grants.names(&(namespace.clone(), name)).cloned().collect();
            for grant in &grants {
                queues.grant(ObjectRef::new(grant).within(&namespace));
            }
        }
    }

    /// A change to a key concerns itself and its service account.
    pub(in crate::controller) fn access_key(self, event: &Event<AccessKey>, before: Option<&AccessKey>) {
        let Self { world, queues, .. } = self;
        relate(&mut world.relations.lock().keys, event, ResourceExt::name_any, |key| {
            (key.namespace().unwrap_or_default(), key.spec.service_account_name.clone())
        });
        relate_many(&mut world.relations.lock().publishers, event, before, |key| {
            let namespace = key.namespace().unwrap_or_default();
            let others: Vec<String> = other_namespaces(&key.spec, &namespace).map(str::to_owned).collect();
            (path(&namespace, &key.name_any()), others)
        });
        let Some(now) = object(event) else { return self.after_list(event) };
        match event {
            Event::InitApply(_) | Event::Init | Event::InitDone => {}
            Event::Delete(_) => {
                queues.seats(service_account_of(now));
                let uid = now.uid().unwrap_or_default();
                let copies: Vec<String> = world.relations.lock().published.names(&uid).cloned().collect();
                let copies = copies.iter().filter_map(|copy| world.secrets.get(&at_path(copy)?));
                copies.for_each(|copy| self.copy_without_key(&copy));
            }
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

    /// A change to a grant concerns itself and its service account.
    pub(in crate::controller) fn grant(self, event: &Event<ResourceGrant>) {
        let group = |grant: &ResourceGrant| {
            (grant.namespace().unwrap_or_default(), grant.spec.service_account_name.clone())
        };
        relate(&mut self.world.relations.lock().grants, event, ResourceExt::name_any, group);
        let Some(now) = object(event) else { return self.after_list(event) };
        match event {
            Event::InitApply(_) | Event::Init | Event::InitDone => return,
            Event::Apply(_) => self.queues.grant(ObjectRef::from_obj(now)),
            Event::Delete(_) => {}
        }
        let (namespace, name) = group(now);
        self.queues.counts(ObjectRef::new(&name).within(&namespace));
    }

    /// A change to a Secret concerns the key that owns it or published it.
    pub(in crate::controller) fn secret(self, event: &Event<SecretMeta>) {
        let uid = |secret: &SecretMeta| {
            secret.annotations().get(names::PUBLISHED_BY_UID).cloned().unwrap_or_default()
        };
        let name = |secret: &SecretMeta| path(&secret.namespace().unwrap_or_default(), &secret.name_any());
        relate(&mut self.world.relations.lock().published, event, name, uid);
        let Some(secret) = object(event) else { return self.after_list(event) };
        let publisher = secret.annotations().get(names::PUBLISHED_BY).and_then(|by| at_path(by));
        let key = owner::<AccessKey>(secret).or(publisher);
        if let Some(key) = key {
            self.queues.key(key);
        }
        if !matches!(event, Event::InitApply(_) | Event::Delete(_)) {
            self.copy_without_key(secret);
        }
    }

    /// A change to a Role concerns the service account that it belongs to.
    pub(in crate::controller) fn role(self, event: &Event<Role>, before: Option<&Role>) {
        relate_many(&mut self.world.relations.lock().readers, event, before, |role| {
            let namespace = role.namespace().unwrap_or_default();
            let secrets = readable(role).map(|secret| (namespace.clone(), secret.clone())).collect();
            (role.name_any(), secrets)
        });
        self.owner(event);
    }

    /// A change to a quota concerns its account, but not one that only counts.
    pub(in crate::controller) fn quota(self, event: &Event<ResourceQuota>, before: Option<&ResourceQuota>) {
        let spec = |quota: &ResourceQuota| quota.spec.clone();
        match event {
            Event::Apply(now) if before.map(spec) == Some(spec(now)) => {}
            _ => self.owner(event),
        }
    }

    /// A change to an object that the controller made concerns the one that it was made for.
    pub(in crate::controller) fn owner<K>(self, event: &Event<K>)
    where
        K: Resource<DynamicType = ()>,
    {
        let Some(now) = object(event) else { return self.after_list(event) };
        if let Some(account) = owner::<Account>(now) {
            self.queues.account(account);
        }
        if let Some(service_account) = owner::<ServiceAccount>(now) {
            self.queues.seats(service_account);
        }
    }

    /// After a list anything may have changed while nobody watched: everything is looked at.
    fn after_list<K>(self, event: &Event<K>) {
        let Self { world, queues, .. } = self;
        if !matches!(event, Event::InitDone) {
            return;
        }
        world.accounts.all().iter().for_each(|object| queues.account(ObjectRef::from_obj(object.as_ref())));
        world.service_accounts.all().iter().for_each(|object| {
            queues.seats(ObjectRef::from_obj(object.as_ref()));
        });
        world.access_keys.all().iter().for_each(|key| queues.key(ObjectRef::from_obj(key.as_ref())));
        world.grants.all().iter().for_each(|grant| queues.grant(ObjectRef::from_obj(grant.as_ref())));
        world.secrets.all().iter().for_each(|secret| self.copy_without_key(secret));
    }

    /// A published Secret whose key is gone, or is another one of that name. Those beside their key go with it, unless a
    /// restore from a backup has brought them back without their owner. Where only one namespace is watched, keys of others
    /// are not known at all.
    fn copy_without_key(self, secret: &SecretMeta) {
        let by = secret.annotations().get(names::PUBLISHED_BY);
        let Some(key) = by.and_then(|by| at_path::<AccessKey>(by)) else { return };
        let known = self.everywhere || key.namespace == secret.namespace();
        let uid = self.world.access_keys.get(&key).and_then(|key| key.uid());
        if known
            && owner::<AccessKey>(secret).is_none()
            && uid.as_ref() != secret.annotations().get(names::PUBLISHED_BY_UID)
        {
            self.queues.orphan(ObjectRef::from_obj(secret));
        }
    }

    fn keys_of(self, namespace: &str, service_account: &str) {
        let group = (namespace.to_owned(), service_account.to_owned());
        for name in self.world.relations.lock().keys.names(&group) {
            self.queues.key(ObjectRef::new(name).within(namespace));
        }
    }
}

fn seats(account: Option<&Account>) -> Vec<Seat> {
    account.and_then(|account| account.status.as_ref()).map(|status| status.seats.clone()).unwrap_or_default()
}

fn read_by_keys(object: &ServiceAccount) -> impl PartialEq + use<'_> {
    let status = object.status.as_ref();
    (object.uid(), object.spec.state, status.map(|status| (&status.seats, &status.removable_keys)))
}

/// The object of kind `K` that controls `object`.
fn owner<K>(object: &impl Resource) -> Option<ObjectRef<K>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    let owners = object.meta().owner_references.as_deref().unwrap_or_default();
    let owner = owners.iter().find(|owner| owner.controller == Some(true) && owner.kind == K::kind(&()))?;
    Some(ObjectRef::new(&owner.name).within(object.meta().namespace.as_deref().unwrap_or_default()))
}

/// Keeps an object in the group that it belongs to.
fn relate<K, G>(
    groups: &mut Groups<G>,
    event: &Event<K>,
    name: impl Fn(&K) -> String,
    group: impl Fn(&K) -> G,
) where
    G: Eq + std::hash::Hash,
{
    match event {
        Event::Apply(object) => groups.insert(group(object), name(object)),
        Event::Delete(object) => groups.remove(&group(object), &name(object)),
        Event::Init => groups.start_listing(),
        Event::InitApply(object) => groups.list(group(object), name(object)),
        Event::InitDone => groups.finish_listing(),
    }
}

/// Keeps an object in all the groups that it belongs to now.
fn relate_many<K, G>(
    groups: &mut Groups<G>,
    event: &Event<K>,
    before: Option<&K>,
    belongs: impl Fn(&K) -> (String, Vec<G>),
) where
    G: Eq + std::hash::Hash,
{
    let mut leave = |object: &K| {
        let (name, of) = belongs(object);
        for group in &of {
            groups.remove(group, &name);
        }
    };
    match event {
        Event::Apply(object) => {
            before.into_iter().for_each(&mut leave);
            let (name, of) = belongs(object);
            for group in of {
                groups.insert(group, name.clone());
            }
        }
        Event::Delete(object) => leave(object),
        Event::Init => groups.start_listing(),
        Event::InitApply(object) => {
            let (name, of) = belongs(object);
            for group in of {
                groups.list(group, name.clone());
            }
        }
        Event::InitDone => groups.finish_listing(),
    }
}

fn account_of(object: &ServiceAccount) -> ObjectRef<Account> {
    ObjectRef::new(ACCOUNT_NAME).within(&object.namespace().unwrap_or_default())
}

fn service_account_of(key: &AccessKey) -> ObjectRef<ServiceAccount> {
    ObjectRef::new(&key.spec.service_account_name).within(&key.namespace().unwrap_or_default())
}
