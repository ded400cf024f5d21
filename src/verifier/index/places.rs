//! Which object is where: the writer's side of the index.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::entry::{Holder, Incarnation, Key, Usage};
use super::{ObjectName, Seen};
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
    service_accounts: HashMap<Box<str>, Named>,
    grants: BTreeMap<Box<str>, GrantFacts>,
}

struct Held {
    key: Arc<Key>,
    ids: Box<[TokenId]>,
    resource_version: Box<str>,
    recorded: i64,
}

/// The service accounts of one name.
struct Named {
    holder: Arc<Holder>,
    /// Of the one that exists.
    facts: Option<ServiceAccountFacts>,
    /// Those that keys were issued for.
    incarnations: Vec<Arc<Incarnation>>,
}

impl Named {
    fn incarnation(&mut self, uid: &str) -> Arc<Incarnation> {
        if let Some(known) = self.incarnations.iter().find(|known| *known.uid == *uid) {
            return Arc::clone(known);
        }
        let new = Arc::new(Incarnation::new(&self.holder, uid, self.facts.as_ref()));
        self.incarnations.push(Arc::clone(&new));
        new
    }

    fn changed(&mut self, facts: Option<ServiceAccountFacts>) {
        self.facts = facts;
        for incarnation in &self.incarnations {
            incarnation.changed(self.facts.as_ref());
        }
    }

    /// Lets go of what no key was issued for. Says whether anything is left.
    fn tidy(&mut self) -> bool {
        self.incarnations.retain(|incarnation| Arc::strong_count(incarnation) > 1);
        Arc::strong_count(&self.holder) > 1 || self.facts.is_some() || !self.holder.grants.load().is_empty()
    }
}

impl Place {
    fn service_account(&mut self, account: &Arc<str>, name: &str) -> &mut Named {
        self.service_accounts.entry(name.into()).or_insert_with(|| {
            let holder = Arc::new(Holder::new(account, name));
            Named { holder, facts: None, incarnations: Vec::new() }
        })
    }

    /// Tells the service account's keys what it may reach now.
    fn regrant(&mut self, account: &Arc<str>, service_account: &str) {
        let its = self.grants.values().filter(|facts| facts.service_account == service_account);
        let grants: Vec<Grant> = its.map(|facts| facts.grant.clone()).collect();
        self.service_account(account, service_account).holder.grants.store(Arc::new(grants));
    }

    fn tidy(&mut self) {
        self.service_accounts.retain(|_, named| named.tidy());
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.service_accounts.is_empty() && self.grants.is_empty()
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

    /// The key as readers will see it, and the service account that it was issued for. What is not recorded of its use goes
    /// on, unless it is another of the same name.
    pub(super) fn key(
        &mut self,
        namespace: &str,
        name: &str,
        uid: &str,
        facts: &KeyFacts,
    ) -> (Arc<Key>, Arc<Incarnation>) {
        let (account, place) = self.place(namespace);
        let named = place.service_account(&account, &facts.service_account);
        let (holder, issued_for) = (Arc::clone(&named.holder), named.incarnation(&facts.issued_for));
        let before = place.keys.get(name).map(|held| &held.key);
        let key = match before.filter(|key| *key.uid == *uid && Arc::ptr_eq(&key.holder, &holder)) {
            Some(same) => Arc::clone(same),
            None => Arc::new(Key { holder, name: name.into(), uid: uid.into(), usage: Usage::default() }),
        };
        (key, issued_for)
    }

    /// Remembers the key with its tokens, and gives the tokens that it had before.
    pub(super) fn hold_key(
        &mut self,
        namespace: &str,
        key: Arc<Key>,
        ids: Box<[TokenId]>,
        resource_version: &str,
        recorded: i64,
    ) -> Box<[TokenId]> {
        let (_, place) = self.place(namespace);
        let name = Arc::clone(&key.name);
        let held = Held { key, ids, resource_version: resource_version.into(), recorded };
        place.keys.insert(name, held).map(|held| held.ids).unwrap_or_default()
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
        facts: Option<ServiceAccountFacts>,
    ) {
        let (account, place) = self.place(namespace);
        place.service_account(&account, name).changed(facts);
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

    pub(super) fn key_named(&self, namespace: &str, name: &str) -> Option<Seen> {
        let Held { key, ids: _, resource_version, recorded } =
            self.accounts.get(namespace)?.keys.get(name)?;
        Some(Seen { key: Arc::clone(key), resource_version: resource_version.clone(), recorded: *recorded })
    }

    /// The tokens of a key; none where it is gone.
    pub(super) fn ids_of(&self, key: &Key) -> Box<[TokenId]> {
        let place = self.accounts.get(&*key.holder.account);
        let held = place.and_then(|place| place.keys.get(&*key.name)).filter(|held| held.key.uid == key.uid);
        held.map(|held| held.ids.clone()).unwrap_or_default()
    }

    pub(super) fn keys_beside(&self, listed: &HashSet<ObjectName>) -> Vec<ObjectName> {
        self.beside(listed, |place| place.keys.keys().map(ToString::to_string).collect())
    }

    pub(super) fn service_accounts_beside(&self, listed: &HashSet<ObjectName>) -> Vec<ObjectName> {
        self.beside(listed, |place| place.service_accounts.keys().map(ToString::to_string).collect())
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
