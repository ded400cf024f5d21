//! The writer's side of the index: every object by namespace and name, and which of them belong together.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::value::token::TokenId;
use crate::domain::verdict::{Grant, GrantFacts, HolderState, KeyFacts, ServiceAccountFacts};
use crate::verifier::index::entry::{Holder, Key, Usage};
use crate::verifier::index::version::{KeyVersion, ObjectName};

/// What is known of every namespace.
#[derive(Default)]
pub(super) struct Objects {
    namespaces: HashMap<Arc<str>, NamespaceObjects>,
}

/// What is known of one namespace.
#[derive(Default)]
struct NamespaceObjects {
    keys: HashMap<Arc<str>, KeyRecord>,
    service_accounts: HashMap<Box<str>, ServiceAccountRecord>,
    grants: BTreeMap<Box<str>, GrantFacts>,
}

/// A key with what readers do not need.
pub(super) struct KeyRecord {
    pub(super) key: Arc<Key>,
    pub(super) ids: Box<[TokenId]>,
    pub(super) resource_version: Box<str>,
    /// When it was last used, as recorded, in seconds since 1970; 0 where nothing is.
    pub(super) last_used: i64,
}

/// What is known of a service account.
struct ServiceAccountRecord {
    holder: Arc<Holder>,
    /// Where it exists.
    facts: Option<ServiceAccountFacts>,
    /// Those that name it.
    keys: HashSet<Arc<str>>,
    /// The UID that one of them was issued for last: mostly it is that of all, and they share its text.
    issued_for: Arc<str>,
}

impl ServiceAccountRecord {
    fn is_idle(&self) -> bool {
        self.keys.is_empty() && self.facts.is_none() && self.holder.grants.load().is_empty()
    }
}

impl NamespaceObjects {
    fn service_account(&mut self, account: &Arc<str>, name: &str) -> &mut ServiceAccountRecord {
        self.service_accounts.entry(name.into()).or_insert_with(|| {
            let holder = Arc::new(Holder::new(account, name));
            ServiceAccountRecord { holder, facts: None, keys: HashSet::new(), issued_for: Arc::default() }
        })
    }

    /// Gives the service account's keys the grants that it has now.
    fn update_grants(&mut self, account: &Arc<str>, service_account: &str) {
        let its = self.grants.values().filter(|facts| facts.service_account == service_account);
        let grants: Vec<Grant> = its.map(|facts| facts.grant.clone()).collect();
        self.service_account(account, service_account).holder.grants.store(Arc::new(grants));
    }

    fn tidy(&mut self) {
        self.service_accounts.retain(|_, record| !record.is_idle());
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.service_accounts.is_empty() && self.grants.is_empty()
    }
}

impl Objects {
    /// The namespace, and its name as all its objects share it.
    fn namespace(&mut self, namespace: &str) -> (Arc<str>, &mut NamespaceObjects) {
        let account = match self.namespaces.get_key_value(namespace) {
            Some((account, _)) => Arc::clone(account),
            None => Arc::from(namespace),
        };
        (Arc::clone(&account), self.namespaces.entry(account).or_default())
    }

    /// Every key.
    pub(super) fn keys(&self) -> impl Iterator<Item = &KeyRecord> {
        self.namespaces.values().flat_map(|objects| objects.keys.values())
    }

    /// Those with keys.
    pub(super) fn accounts(&self) -> BTreeSet<Arc<str>> {
        let with_keys = self.namespaces.iter().filter(|(_, objects)| !objects.keys.is_empty());
        with_keys.map(|(account, _)| Arc::clone(account)).collect()
    }

    pub(super) fn tidy(&mut self) {
        self.namespaces.retain(|_, objects| {
            objects.tidy();
            !objects.is_empty()
        });
    }

    /// The key as readers will see it, and the state of its service account. What is not recorded of its use
    /// goes on, unless it is another of the same name.
    pub(super) fn key(
        &mut self,
        (namespace, name): (&str, &str),
        uid: &str,
        facts: &KeyFacts,
    ) -> (Arc<Key>, HolderState) {
        let (account, objects) = self.namespace(namespace);
        let record = objects.service_account(&account, &facts.service_account);
        let holder = Arc::clone(&record.holder);
        let state = HolderState::to_keys_of(&facts.issued_for, record.facts.as_ref());
        if *record.issued_for != *facts.issued_for {
            record.issued_for = facts.issued_for.as_str().into();
        }
        let issued_for = Arc::clone(&record.issued_for);
        let is_it = |key: &&Arc<Key>| {
            *key.uid == *uid && key.issued_for == issued_for && Arc::ptr_eq(&key.holder, &holder)
        };
        let key = match objects.keys.get(name).map(|record| &record.key).filter(is_it) {
            Some(same) => Arc::clone(same),
            None => Arc::new(Key {
                holder,
                name: name.into(),
                uid: uid.into(),
                issued_for,
                seal: Mutex::default(),
                usage: Usage::default(),
            }),
        };
        (key, state)
    }

    /// Remembers the key with its tokens, and gives what it was before.
    pub(super) fn put_key(&mut self, record: KeyRecord) -> Option<KeyRecord> {
        let before = self.forget_key(&record.key.holder.account, &record.key.name);
        let (account, objects) = self.namespace(&record.key.holder.account);
        let name = Arc::clone(&record.key.name);
        objects.service_account(&account, &record.key.holder.name).keys.insert(Arc::clone(&name));
        objects.keys.insert(name, record);
        before
    }

    /// Forgets a key, and gives what it was.
    pub(super) fn forget_key(&mut self, namespace: &str, name: &str) -> Option<KeyRecord> {
        let objects = self.namespaces.get_mut(namespace)?;
        let gone = objects.keys.remove(name)?;
        if let Some(record) = objects.service_accounts.get_mut(&*gone.key.holder.name) {
            record.keys.remove(name);
        }
        Some(gone)
    }

    /// Gives its keys where that is a change, with the state that it has for each now.
    pub(super) fn service_account(
        &mut self,
        namespace: &str,
        name: &str,
        facts: Option<ServiceAccountFacts>,
    ) -> impl Iterator<Item = (&KeyRecord, HolderState)> {
        let (account, objects) = self.namespace(namespace);
        let known = &mut objects.service_account(&account, name).facts;
        let changed = *known != facts;
        *known = facts;
        let changed = objects.service_accounts.get(name).filter(|_| changed);
        let its = changed.into_iter().flat_map(|record| record.keys.iter().map(move |key| (record, key)));
        its.filter_map(|(service_account, key)| {
            let record = objects.keys.get(key)?;
            Some((record, HolderState::to_keys_of(&record.key.issued_for, service_account.facts.as_ref())))
        })
    }

    pub(super) fn grant(&mut self, namespace: &str, name: &str, facts: Option<GrantFacts>) {
        let (account, objects) = self.namespace(namespace);
        let after = facts.as_ref().map(|facts| facts.service_account.clone());
        let before = match facts {
            Some(facts) => objects.grants.insert(name.into(), facts),
            None => objects.grants.remove(name),
        };
        let before = before.map(|facts| facts.service_account);
        let affected: BTreeSet<String> = before.into_iter().chain(after).collect();
        for service_account in affected {
            objects.update_grants(&account, &service_account);
        }
    }

    pub(super) fn key_named(&self, namespace: &str, name: &str) -> Option<KeyVersion> {
        let KeyRecord { key, ids: _, resource_version, last_used } =
            self.namespaces.get(namespace)?.keys.get(name)?;
        Some(KeyVersion {
            key: Arc::clone(key),
            resource_version: resource_version.clone(),
            last_used: *last_used,
        })
    }

    /// The tokens of a key; none where it is gone.
    pub(super) fn ids_of(&self, key: &Key) -> Box<[TokenId]> {
        let objects = self.namespaces.get(&*key.holder.account);
        let record = objects
            .and_then(|objects| objects.keys.get(&*key.name))
            .filter(|record| record.key.uid == key.uid);
        record.map(|record| record.ids.clone()).unwrap_or_default()
    }

    pub(super) fn keys_not_in(&self, listed: &HashSet<ObjectName>) -> Vec<ObjectName> {
        self.not_in(listed, |objects| objects.keys.keys().map(ToString::to_string).collect())
    }

    pub(super) fn service_accounts_not_in(&self, listed: &HashSet<ObjectName>) -> Vec<ObjectName> {
        self.not_in(listed, |objects| objects.service_accounts.keys().map(ToString::to_string).collect())
    }

    pub(super) fn grants_not_in(&self, listed: &HashSet<ObjectName>) -> Vec<ObjectName> {
        self.not_in(listed, |objects| objects.grants.keys().map(ToString::to_string).collect())
    }

    fn not_in(
        &self,
        listed: &HashSet<ObjectName>,
        names: impl Fn(&NamespaceObjects) -> Vec<String>,
    ) -> Vec<ObjectName> {
        let all = self.namespaces.iter().flat_map(|(account, objects)| {
            names(objects).into_iter().map(|name| (account.to_string(), name)).collect::<Vec<_>>()
        });
        all.filter(|name| !listed.contains(name)).collect()
    }
}
