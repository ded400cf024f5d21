//! From each change to those who read what has changed: who is to be looked at next.
//!
//! ```text
//!              seats, policy             ParentView
//!   Account ─────────────────► ServiceAccount ─────────────► AccessKey ──► Secrets (owned, published)
//!      ▲                          ▲    │   ▲                   │   ▲           │
//!      └── ServiceAccountView ────┼────┘   └───── KeyView ─────┘   └───────────┘
//!                                 │
//!   ResourceGrant ── GrantView ───┘      Role, RoleBinding, ResourceQuota ──► whose they are
//! ```
//!
//! What a plan reads of another object is one view, and the trigger is that the view changed. Nothing is
//! decided here, and no field of another object is compared by hand.

use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::rbac::v1::Role;
use kube::core::NamespaceResourceScope;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};

use crate::api::shared::Seat;
use crate::api::{ACCOUNT_NAME, AccessKey, Account, ResourceGrant, ServiceAccount, names};
use crate::controller::watch::queue::Queues;
use crate::controller::watch::store::{Groups, SecretMeta, World, at_path, path};
use crate::domain::access_key::ParentView;
use crate::domain::access_key::publish::secrets::other_namespaces;
use crate::domain::account::policy::AccountPolicy;
use crate::domain::account::{ServiceAccountView, seats};
use crate::domain::admins::readable;
use crate::domain::object::Stamps;
use crate::domain::service_account::{GrantView, KeyView};

/// Fills the queues.
#[derive(Clone, Copy)]
pub(in crate::controller) struct Triggers<'a> {
    pub(in crate::controller) world: &'a World,
    pub(in crate::controller) queues: &'a Queues,
    /// Whether admission stamps who changed an object.
    pub(in crate::controller) stamps: Stamps,
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

impl Triggers<'_> {
    /// A change to an account queues itself, those whose admission or policy it moves, and those who publish
    /// there.
    pub(in crate::controller) fn account(self, event: &Event<Account>, before: Option<&Account>) {
        let Self { world, queues, .. } = self;
        let Some(now) = object(event) else { return self.after_list(event) };
        if matches!(event, Event::InitApply(_)) {
            return;
        }
        queues.account(ObjectRef::from_obj(now));
        let deleted = matches!(event, Event::Delete(_));
        let namespace = now.namespace().unwrap_or_default();
        let same_policy = !deleted && before.map(AccountPolicy::of) == Some(AccountPolicy::of(now));
        let (old, new) = (before.map(seats).unwrap_or_default(), seats(now));
        let names: Vec<String> = world.relations.lock().service_accounts.names(&namespace).cloned().collect();
        for name in names {
            let of = |seats: &[Seat]| seats.iter().find(|seat| seat.name == name).cloned();
            let (was, is) = (of(old), of(new));
            if !same_policy || was != is || is.is_none() {
                queues.seats(ObjectRef::new(&name).within(&namespace));
            }
            if !same_policy || was.map(|seat| seat.uid) != is.map(|seat| seat.uid) {
                self.keys_of(&namespace, &name);
            }
        }
        if !same_policy {
            let publishers: Vec<String> =
                world.relations.lock().publishers.names(&namespace).cloned().collect();
            publishers.iter().filter_map(|key| at_path(key)).for_each(|key| queues.key(key));
        }
    }

    /// A change to a service account queues itself, and its account, keys and grants where it moves what they
    /// read of it.
    pub(in crate::controller) fn service_account(
        self,
        event: &Event<ServiceAccount>,
        before: Option<&ServiceAccount>,
    ) {
        let Self { world, queues, stamps, .. } = self;
        relate(&mut world.relations.lock().service_accounts, event, ResourceExt::name_any, |object| {
            object.namespace().unwrap_or_default()
        });
        let Some(now) = object(event) else { return self.after_list(event) };
        if matches!(event, Event::InitApply(_)) {
            return;
        }
        // Another object than before, or none any more.
        let known = before.filter(|_| !matches!(event, Event::Delete(_)));
        let version = |object: &ServiceAccount| (object.uid(), object.metadata.generation);
        if known.map(version) == Some(version(now)) {
            // Only its status moved, mostly by this controller's own hand: that must not set off the next
            // write at once.
            queues.counts(ObjectRef::from_obj(now));
        } else {
            queues.seats(ObjectRef::from_obj(now));
        }
        let view = ServiceAccountView::of(now, stamps);
        match known.map(|known| ServiceAccountView::of(known, stamps)) {
            Some(old) if old == view => {}
            Some(old) if !old.differs_beyond_snapshot(&view) => queues.glance(account_of(now)),
            Some(_) | None => queues.account(account_of(now)),
        }
        let (namespace, name) = (now.namespace().unwrap_or_default(), now.name_any());
        if known.map(|known| ParentView::of(known, stamps)) != Some(ParentView::of(now, stamps)) {
            self.keys_of(&namespace, &name);
        }
        if known.is_none() {
            let grants: Vec<String> =
                world.relations.lock().grants.names(&(namespace.clone(), name)).cloned().collect();
            for grant in &grants {
                queues.grant(ObjectRef::new(grant).within(&namespace));
            }
        }
    }

    /// A change to a key queues itself, and its service account where it moves what that reads of it.
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
                copies.for_each(|copy| self.published_without_key(&copy));
            }
            Event::Apply(_) => {
                queues.key(ObjectRef::from_obj(now));
                let view = KeyView::of(now);
                match before.map(KeyView::of) {
                    Some(old) if old == view => {}
                    Some(old) if !old.differs_beyond_status(view) => queues.counts(service_account_of(now)),
                    Some(_) | None => queues.seats(service_account_of(now)),
                }
            }
        }
    }

    /// A change to a grant queues itself and its service account.
    pub(in crate::controller) fn grant(self, event: &Event<ResourceGrant>, before: Option<&ResourceGrant>) {
        let Self { world, queues, stamps, .. } = self;
        let group = |grant: &ResourceGrant| {
            (grant.namespace().unwrap_or_default(), grant.spec.service_account_name.clone())
        };
        relate(&mut world.relations.lock().grants, event, ResourceExt::name_any, group);
        let Some(now) = object(event) else { return self.after_list(event) };
        let same = |before| GrantView::of(before, stamps) == GrantView::of(now, stamps);
        match event {
            Event::InitApply(_) | Event::Init | Event::InitDone => return,
            Event::Apply(_) => {
                queues.grant(ObjectRef::from_obj(now));
                if before.is_some_and(same) {
                    return;
                }
            }
            Event::Delete(_) => {}
        }
        let (namespace, name) = group(now);
        queues.counts(ObjectRef::new(&name).within(&namespace));
    }

    /// A change to a Secret queues the key that owns it or published it.
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
            self.published_without_key(secret);
        }
    }

    /// A change to a Role queues the service account that it belongs to.
    pub(in crate::controller) fn role(self, event: &Event<Role>, before: Option<&Role>) {
        relate_many(&mut self.world.relations.lock().readers, event, before, |role| {
            let namespace = role.namespace().unwrap_or_default();
            let secrets = readable(role).map(|secret| (namespace.clone(), secret.clone())).collect();
            (role.name_any(), secrets)
        });
        self.owner(event);
    }

    /// A change to a quota queues its account, but not one that only counts.
    pub(in crate::controller) fn quota(self, event: &Event<ResourceQuota>, before: Option<&ResourceQuota>) {
        let spec = |quota: &ResourceQuota| quota.spec.clone();
        match event {
            Event::Apply(now) if before.map(spec) == Some(spec(now)) => {}
            _ => self.owner(event),
        }
    }

    /// A change to an object that the controller made queues the one that it was made for.
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
        world.secrets.all().iter().for_each(|secret| self.published_without_key(secret));
    }

    /// A published Secret whose key is gone, or is another one of that name. Those beside their key go with
    /// it, unless a restore from a backup has brought them back without their owner. Where only one namespace
    /// is watched, keys of others are not known at all.
    fn published_without_key(self, secret: &SecretMeta) {
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
