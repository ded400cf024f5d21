//! What the verifier knows of the cluster, by token id. Readers take no lock; there is one writer at a time, and a reader
//! sees each object as it was before a change or after it, never in between.

mod entry;
mod places;

use std::collections::HashSet;
use std::sync::Arc;

use papaya::{HashMap, HashMapRef, LocalGuard};
use parking_lot::Mutex;

use crate::domain::token::TokenId;
use crate::domain::verdict::{Credential, GrantFacts, KeyFacts, ServiceAccountFacts};

pub use entry::{Changing, Entry, Holder, Key, Usage, actor};
use places::{Held, Places};

/// Ids are drawn at random by the controller, so nobody can choose those that would meet in one place.
type IdHasher = foldhash::fast::RandomState;

/// An object of one kind: its namespace and name.
pub type ObjectName = (String, String);

/// The index.
#[derive(Default)]
pub struct Index {
    entries: HashMap<TokenId, Entry, IdHasher>,
    places: Mutex<Places>,
}

impl Index {
    /// A look at the index. What it gives stays as it was for as long as the look is held.
    pub fn look(&self) -> Look<'_> {
        Look(self.entries.pin())
    }

    /// How many tokens are known.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A key is as `facts` say; `None`: it is gone.
    pub fn key(&self, (namespace, name): (&str, &str), version: Version<'_>, facts: Option<KeyFacts>) {
        let mut places = self.places.lock();
        let entries = self.entries.pin();
        let Some(facts) = facts else {
            for id in &places.forget_key(namespace, name) {
                forget(&entries, id);
            }
            return;
        };
        let (key, standing) = places.key((namespace, name), version.uid, &facts);
        let KeyFacts { state, credentials, last_used_at, service_account: _, issued_for: _ } = facts;
        let ids: Box<[TokenId]> = credentials.iter().map(|(id, _)| *id).collect();
        for (id, Credential { hash, kind, good_until }) in credentials {
            let changing = Changing { kind, good_until, state, service_account: standing };
            let entry = Entry::new(&key, hash, &changing);
            if !entries.get(&id).is_some_and(|known| known.becomes(&entry)) {
                entries.insert(id, entry).inspect(|gone| gone.leave());
            }
        }
        let held = Held {
            key,
            ids: ids.clone(),
            resource_version: version.resource_version.into(),
            recorded: last_used_at.unwrap_or_default(),
        };
        for id in places.hold_key(held).iter().filter(|id| !ids.contains(id)) {
            forget(&entries, id);
        }
    }

    /// When a key was last used, in seconds since 1970 and 0 for never, and how often since it was taken before.
    pub fn take_usage(&self, key: &Key) -> (i64, u32) {
        // Held to the end, so that no token goes meanwhile.
        let places = self.places.lock();
        let entries = self.entries.pin();
        let ids = places.ids_of(key);
        let of_tokens = ids.iter().filter_map(|id| Some(entries.get(id)?.usage.take()));
        of_tokens.fold(key.usage.take(), |(last, count), (later, more)| {
            (last.max(later), count.saturating_add(more))
        })
    }

    /// A service account is as `facts` say; `None`: it is gone.
    pub fn service_account(&self, (namespace, name): (&str, &str), facts: Option<ServiceAccountFacts>) {
        let mut places = self.places.lock();
        let entries = self.entries.pin();
        for (held, standing) in places.service_account(namespace, name, facts) {
            let known = held.ids.iter().filter_map(|id| entries.get(id));
            for entry in known.filter(|entry| Arc::ptr_eq(&entry.key, &held.key)) {
                entry.service_account_is(standing);
            }
        }
    }

    /// A grant is as `facts` say; `None`: it is gone.
    pub fn grant(&self, (namespace, name): (&str, &str), facts: Option<GrantFacts>) {
        self.places.lock().grant(namespace, name, facts);
    }

    /// Forgets every key that a new list does not name.
    pub fn only_keys(&self, listed: &HashSet<ObjectName>) {
        let gone = self.places.lock().keys_beside(listed);
        for (namespace, name) in gone {
            self.key((&namespace, &name), Version::default(), None);
        }
    }

    /// Forgets every service account that a new list does not name.
    pub fn only_service_accounts(&self, listed: &HashSet<ObjectName>) {
        let gone = self.places.lock().service_accounts_beside(listed);
        for (namespace, name) in gone {
            self.service_account((&namespace, &name), None);
        }
    }

    /// Forgets every grant that a new list does not name.
    pub fn only_grants(&self, listed: &HashSet<ObjectName>) {
        let gone = self.places.lock().grants_beside(listed);
        for (namespace, name) in gone {
            self.grant((&namespace, &name), None);
        }
    }

    /// Lets go of service accounts that do not exist and that nothing names any more.
    pub fn tidy(&self) {
        self.places.lock().tidy();
    }

    /// The accounts that have keys.
    pub fn accounts(&self) -> HashSet<Arc<str>> {
        self.places.lock().accounts()
    }

    /// The key of that name.
    pub fn key_named(&self, namespace: &str, name: &str) -> Option<Seen> {
        self.places.lock().key_named(namespace, name)
    }
}

type Entries<'a> = HashMapRef<'a, TokenId, Entry, IdHasher, LocalGuard<'a>>;

fn forget(entries: &Entries<'_>, id: &TokenId) {
    entries.remove(id).inspect(|gone| gone.leave());
}

/// See [`Index::look`].
pub struct Look<'a>(Entries<'a>);

impl Look<'_> {
    /// What is known under a token's id.
    pub fn get(&self, id: &TokenId) -> Option<&Entry> {
        self.0.get(id)
    }
}

/// A key as it was seen last.
#[derive(Debug)]
pub struct Seen {
    /// The key.
    pub key: Arc<Key>,
    /// Its `resourceVersion`.
    pub resource_version: Box<str>,
    /// When it was last used, as recorded, in seconds since 1970; 0 where nothing is.
    pub recorded: i64,
}

/// Which object it is, and at what version.
#[derive(Clone, Copy, Default)]
pub struct Version<'a> {
    /// UID of the object.
    pub uid: &'a str,
    /// Its `resourceVersion`.
    pub resource_version: &'a str,
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
