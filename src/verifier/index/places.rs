//! Which object is where: the writer's side of the index.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::domain::value::token::TokenId;
use crate::domain::verdict::{Grant, GrantFacts, KeyFacts, ServiceAccountFacts, Standing};
use crate::verifier::index::entry::{Holder, Key, Usage};
use crate::verifier::index::{ObjectName, Seen};

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

/// A key with what readers do not need.
pub(super) struct Held {
    pub(super) key: Arc<Key>,
    pub(super) ids: Box<[TokenId]>,
    pub(super) resource_version: Box<str>,
    /// When it was last used, as recorded, in seconds since 1970; 0 where nothing is.
    pub(super) recorded: i64,
}

/// What is known of a service account.
struct Named {
    holder: Arc<Holder>,
    /// Where it exists.
    facts: Option<ServiceAccountFacts>,
    /// Those that name it.
    keys: HashSet<Arc<str>>,
    /// The UID that one of them was issued for last: mostly it is that of all, and they share its text.
    issued_for: Arc<str>,
}

impl Named {
    fn is_idle(&self) -> bool {
        self.keys.is_empty() && self.facts.is_none() && self.holder.grants.load().is_empty()
    }
}

impl Place {
    fn service_account(&mut self, account: &Arc<str>, name: &str) -> &mut Named {
        self.service_accounts.entry(name.into()).or_insert_with(|| {
            let holder = Arc::new(Holder::new(account, name));
            Named { holder, facts: None, keys: HashSet::new(), issued_for: Arc::default() }
        })
    }

    /// Tells the service account's keys what it may reach now.
    fn regrant(&mut self, account: &Arc<str>, service_account: &str) {
        let its = self.grants.values().filter(|facts| facts.service_account == service_account);
        let grants: Vec<Grant> = its.map(|facts| facts.grant.clone()).collect();
        self.service_account(account, service_account).holder.grants.store(Arc::new(grants));
    }

    fn tidy(&mut self) {
        self.service_accounts.retain(|_, named| !named.is_idle());
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

    /// The key as readers will see it, and what its service account is to it. What is not recorded of its use goes on, unless
    /// it is another of the same name.
    pub(super) fn key(
        &mut self,
        (namespace, name): (&str, &str),
        uid: &str,
        facts: &KeyFacts,
    ) -> (Arc<Key>, Standing) {
        let (account, place) = self.place(namespace);
        let named = place.service_account(&account, &facts.service_account);
        let holder = Arc::clone(&named.holder);
        let standing = Standing::to_keys_of(&facts.issued_for, named.facts.as_ref());
        if *named.issued_for != *facts.issued_for {
            named.issued_for = facts.issued_for.as_str().into();
        }
        let issued_for = Arc::clone(&named.issued_for);
        let is_it = |key: &&Arc<Key>| {
            *key.uid == *uid && key.issued_for == issued_for && Arc::ptr_eq(&key.holder, &holder)
        };
        let key = match place.keys.get(name).map(|held| &held.key).filter(is_it) {
            Some(same) => Arc::clone(same),
            None => Arc::new(Key {
                holder,
                name: name.into(),
                uid: uid.into(),
                issued_for,
                usage: Usage::default(),
            }),
        };
        (key, standing)
    }

    /// Remembers the key with its tokens, and gives the tokens that it had before.
    pub(super) fn hold_key(&mut self, held: Held) -> Box<[TokenId]> {
        let before = self.forget_key(&held.key.holder.account, &held.key.name);
        let (account, place) = self.place(&held.key.holder.account);
        let name = Arc::clone(&held.key.name);
        place.service_account(&account, &held.key.holder.name).keys.insert(Arc::clone(&name));
        place.keys.insert(name, held);
        before
    }

    /// Forgets a key, and gives the tokens it had.
    pub(super) fn forget_key(&mut self, namespace: &str, name: &str) -> Box<[TokenId]> {
        let Some(place) = self.accounts.get_mut(namespace) else { return Box::default() };
        let Some(Held { key, ids, .. }) = place.keys.remove(name) else { return Box::default() };
        if let Some(named) = place.service_accounts.get_mut(&*key.holder.name) {
            named.keys.remove(name);
        }
        ids
    }

    /// Gives its keys where that is a change, with what it is to each now.
    pub(super) fn service_account(
        &mut self,
        namespace: &str,
        name: &str,
        facts: Option<ServiceAccountFacts>,
    ) -> impl Iterator<Item = (&Held, Standing)> {
        let (account, place) = self.place(namespace);
        let known = &mut place.service_account(&account, name).facts;
        let changed = *known != facts;
        *known = facts;
        let named = place.service_accounts.get(name).filter(|_| changed);
        let its = named.into_iter().flat_map(|named| named.keys.iter().map(move |key| (named, key)));
        its.filter_map(|(named, key)| {
            let held = place.keys.get(key)?;
            Some((held, Standing::to_keys_of(&held.key.issued_for, named.facts.as_ref())))
        })
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
