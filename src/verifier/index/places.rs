//! Which object is where: the writer's side of the index.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::entry::{Holder, Key};
use super::{ObjectName, Version};
use crate::domain::token::TokenId;
use crate::domain::verdict::{Grant, GrantFacts, KeyFacts, ServiceAccountFacts};

#[derive(Default)]
pub(super) struct Places {
    accounts: HashMap<Arc<str>, Place>,
}

/// What is known of one namespace.
#[derive(Default)]
struct Place {
    keys: HashMap<Arc<str>, Held>,
    holders: HashMap<Box<str>, Arc<Holder>>,
    /// By name, the UID that was seen last: a service account and nearly all its keys share its text.
    issued_for: HashMap<Box<str>, Arc<str>>,
    grants: BTreeMap<Box<str>, GrantFacts>,
}

struct Held {
    key: Arc<Key>,
    ids: Box<[TokenId]>,
}

impl Place {
    fn holder(&mut self, account: &Arc<str>, name: &str) -> Arc<Holder> {
        if let Some(holder) = self.holders.get(name) {
            return Arc::clone(holder);
        }
        let holder = Arc::new(Holder::new(account, name));
        self.holders.insert(name.into(), Arc::clone(&holder));
        holder
    }

    fn issued_for(&mut self, service_account: &str, uid: &str) -> Arc<str> {
        if let Some(shared) = self.issued_for.get(service_account).filter(|shared| ***shared == *uid) {
            return Arc::clone(shared);
        }
        let uid: Arc<str> = uid.into();
        self.issued_for.insert(service_account.into(), Arc::clone(&uid));
        uid
    }

    /// Tells the service account's keys what it may reach now.
    fn regrant(&mut self, account: &Arc<str>, service_account: &str) {
        let its = self.grants.values().filter(|facts| facts.service_account == service_account);
        let grants: Vec<Grant> = its.map(|facts| facts.grant.clone()).collect();
        self.holder(account, service_account).grants.store(Arc::new(grants));
    }

    fn tidy(&mut self) {
        self.holders.retain(|_, holder| {
            Arc::strong_count(holder) > 1 || holder.facts.load().is_some() || !holder.grants.load().is_empty()
        });
        let Self { holders, issued_for, .. } = self;
        issued_for.retain(|name, _| holders.contains_key(name));
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.holders.is_empty() && self.grants.is_empty()
    }
}

impl Places {
    /// The namespace, and its name as all its objects share it.
    fn place(&mut self, namespace: &str) -> (Arc<str>, &mut Place) {
        let account = match self.accounts.get_key_value(namespace) {
            Some((account, _)) => Arc::clone(account),
            None => Arc::from(namespace),
        };
        (Arc::clone(&account), self.accounts.entry(account).or_default())
    }

    /// Those with keys.
    pub(super) fn accounts(&self) -> HashSet<Arc<str>> {
        let with_keys = self.accounts.iter().filter(|(_, place)| !place.keys.is_empty());
        with_keys.map(|(account, _)| Arc::clone(account)).collect()
    }

    pub(super) fn tidy(&mut self) {
        self.accounts.retain(|_, place| {
            place.tidy();
            !place.is_empty()
        });
    }

    /// The key as readers will see it. What is not recorded of its use goes on, unless it is another of the same name.
    pub(super) fn key(&mut self, namespace: &str, name: &str, version: Version<'_>, facts: &KeyFacts) -> Key {
        let (account, place) = self.place(namespace);
        let before = place.keys.get(name).map(|held| &held.key).filter(|key| *key.uid == *version.uid);
        let usage = before.map_or_else(Arc::default, |key| Arc::clone(&key.usage));
        let name = before.map_or_else(|| Arc::from(name), |key| Arc::clone(&key.name));
        Key {
            name,
            uid: version.uid.into(),
            resource_version: version.resource_version.into(),
            issued_for: place.issued_for(&facts.service_account, &facts.issued_for),
            state: facts.state,
            recorded: facts.last_used_at.unwrap_or_default(),
            holder: place.holder(&account, &facts.service_account),
            usage,
        }
    }

    /// Remembers the key with its tokens, and gives the tokens that it had before.
    pub(super) fn hold_key(
        &mut self,
        namespace: &str,
        key: &Arc<Key>,
        ids: Box<[TokenId]>,
    ) -> Box<[TokenId]> {
        let (_, place) = self.place(namespace);
        let held = Held { key: Arc::clone(key), ids };
        place.keys.insert(Arc::clone(&key.name), held).map(|held| held.ids).unwrap_or_default()
    }

    /// Forgets a key, and gives the tokens it had.
    pub(super) fn forget_key(&mut self, namespace: &str, name: &str) -> Box<[TokenId]> {
        let Some(place) = self.accounts.get_mut(namespace) else { return Box::default() };
        place.keys.remove(name).map(|held| held.ids).unwrap_or_default()
    }

    pub(super) fn service_account(
        &mut self,
        namespace: &str,
        name: &str,
        version: &str,
        facts: Option<ServiceAccountFacts>,
    ) {
        let (account, place) = self.place(namespace);
        let facts =
            facts.map(|facts| ServiceAccountFacts { uid: place.issued_for(name, &facts.uid), ..facts });
        let holder = place.holder(&account, name);
        holder.resource_version.store(Arc::new(version.to_owned()));
        holder.facts.store(facts.map(Arc::new));
    }

    pub(super) fn grant(&mut self, namespace: &str, name: &str, facts: Option<GrantFacts>) {
        let (account, place) = self.place(namespace);
        let after = facts.as_ref().map(|facts| facts.service_account.clone());
        let before = match facts {
            Some(facts) => place.grants.insert(name.into(), facts),
            None => place.grants.remove(name),
        };
        let before = before.map(|facts| facts.service_account);
        let concerned: HashSet<String> = before.into_iter().chain(after).collect();
        for service_account in concerned {
            place.regrant(&account, &service_account);
        }
    }

    pub(super) fn key_named(&self, namespace: &str, name: &str) -> Option<Arc<Key>> {
        Some(Arc::clone(&self.accounts.get(namespace)?.keys.get(name)?.key))
    }

    pub(super) fn keys_beside(&self, listed: &HashSet<ObjectName>) -> Vec<ObjectName> {
        self.beside(listed, |place| place.keys.keys().map(ToString::to_string).collect())
    }

    pub(super) fn service_accounts_beside(&self, listed: &HashSet<ObjectName>) -> Vec<ObjectName> {
        self.beside(listed, |place| place.holders.keys().map(ToString::to_string).collect())
    }

    pub(super) fn grants_beside(&self, listed: &HashSet<ObjectName>) -> Vec<ObjectName> {
        self.beside(listed, |place| place.grants.keys().map(ToString::to_string).collect())
    }

    fn beside(&self, listed: &HashSet<ObjectName>, names: impl Fn(&Place) -> Vec<String>) -> Vec<ObjectName> {
        let all = self.accounts.iter().flat_map(|(account, place)| {
            names(place).into_iter().map(|name| (account.to_string(), name)).collect::<Vec<_>>()
        });
        all.filter(|name| !listed.contains(name)).collect()
    }
}
