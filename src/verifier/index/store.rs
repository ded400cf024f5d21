//! The index itself: what readers see, and what happens to it when an object changes. It decides nothing.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use papaya::{HashMap, HashMapRef, LocalGuard};
use parking_lot::Mutex;

use crate::domain::access_key::record::Trust;
use crate::domain::value::token::TokenId;
use crate::domain::verdict::{GrantFacts, KeyFacts, ServiceAccountFacts, StoredToken};
use crate::verifier::index::entry::{Entry, Key, Seal, TokenState};
use crate::verifier::index::objects::{KeyRecord, Objects};
use crate::verifier::index::version::{KeyVersion, ObjectName, Version};

/// Ids are drawn at random by the controller, so nobody can choose those that would meet in one place.
type IdHasher = foldhash::fast::RandomState;

/// What is known of the cluster, by token id. There is one writer at a time.
#[derive(Default)]
pub struct Index {
    /// For readers, who take no lock.
    entries: HashMap<TokenId, Entry, IdHasher>,
    /// For the writer.
    pub(super) objects: Mutex<Objects>,
    /// Which seals are good.
    trust: ArcSwap<Trust>,
    contested: AtomicU64,
}

impl Index {
    /// The index for reading. What the guard gives stays as it was for as long as the guard is held.
    pub fn read(&self) -> ReadGuard<'_> {
        ReadGuard(self.entries.pin())
    }

    /// Whether the controller vouches for a token.
    pub fn is_sealed(&self, entry: &Entry) -> bool {
        entry.is_sealed(&self.trust)
    }

    /// How many tokens are known.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Which seals are good from now on. Every one is checked again when it is needed next.
    pub fn set_trust(&self, trust: Trust) {
        let objects = self.objects.lock();
        self.trust.store(Arc::new(trust));
        let entries = self.entries.pin();
        for record in objects.keys() {
            let mut seal = record.key.seal.lock();
            seal.doubt();
            for entry in record.ids.iter().filter_map(|id| entries.get(id)) {
                if Arc::ptr_eq(&entry.key, &record.key) {
                    entry.set_sealed(&seal);
                }
            }
        }
    }

    /// How many times somebody claimed an id that belongs to another key.
    pub fn contested(&self) -> u64 {
        self.contested.load(Ordering::Relaxed)
    }

    /// A key is as `facts` say; `None`: it is gone.
    pub fn key(&self, (namespace, name): (&str, &str), version: Version<'_>, facts: Option<KeyFacts>) {
        let mut objects = self.objects.lock();
        let entries = self.entries.pin();
        let Some(facts) = facts else {
            if let Some(KeyRecord { key, ids, .. }) = objects.forget_key(namespace, name) {
                ids.iter().for_each(|id| forget(&entries, &key, id));
            }
            return;
        };
        let (key, service_account) = objects.key((namespace, name), version.uid, &facts);
        let KeyFacts { state: key_state, tokens, claim, last_used_at, service_account: _, issued_for: _ } =
            facts;
        let mut seal = key.seal.lock();
        seal.replace(claim);
        let mut ids = Vec::with_capacity(tokens.len());
        for (id, StoredToken { hash, kind, good_until }) in tokens {
            let known = entries.get(&id);
            if known.is_some_and(|known| !self.gives_way(&known.key, &key, &mut seal)) {
                continue;
            }
            ids.push(id);
            let state = TokenState { kind, good_until, key: key_state, service_account };
            let entry = Entry::new(&key, hash, &state);
            entry.set_sealed(&seal);
            match known.filter(|known| known.update_from(&entry)) {
                Some(known) => known.set_sealed(&seal),
                None => drop(entries.insert(id, entry).inspect(|gone| gone.keep_usage())),
            }
        }
        drop(seal);
        let ids: Box<[TokenId]> = ids.into();
        let record = KeyRecord {
            key,
            ids: ids.clone(),
            resource_version: version.resource_version.into(),
            last_used: last_used_at.unwrap_or_default(),
        };
        if let Some(before) = objects.put_key(record) {
            for id in before.ids.iter().filter(|id| !ids.contains(id)) {
                forget(&entries, &before.key, id);
            }
        }
    }

    /// Whether the key that has an id leaves it to another one that claims it. It belongs to the one whose
    /// seal is good, whichever came first; two such cannot be, since the controller draws ids at random.
    fn gives_way(&self, holder: &Arc<Key>, claimant: &Arc<Key>, seal: &mut Seal) -> bool {
        let same_object = holder.name == claimant.name && holder.holder.account == claimant.holder.account;
        if same_object {
            return true;
        }
        self.contested.fetch_add(1, Ordering::Relaxed);
        let trust = self.trust.load();
        let proved = |seal: &mut Seal| seal.prove(&trust) && seal.is_proved();
        let gives_way = !proved(&mut holder.seal.lock()) && proved(seal);
        tracing::warn!(
            namespace = &*claimant.holder.account,
            key = &*claimant.name,
            other_namespace = &*holder.holder.account,
            other_key = &*holder.name,
            gives_way,
            "two keys claim one token id; it belongs to the one that the controller sealed it for"
        );
        gives_way
    }

    /// When a key was last used, in seconds since 1970 and 0 for never, and how often since it was taken
    /// before.
    pub fn take_usage(&self, key: &Key) -> (i64, u32) {
        // Held to the end, so that no token goes meanwhile.
        let objects = self.objects.lock();
        let entries = self.entries.pin();
        let ids = objects.ids_of(key);
        let of_tokens = ids.iter().filter_map(|id| Some(entries.get(id)?.usage.take()));
        of_tokens.fold(key.usage.take(), |(last, count), (later, more)| {
            (last.max(later), count.saturating_add(more))
        })
    }

    /// A service account is as `facts` say; `None`: it is gone.
    pub fn service_account(&self, (namespace, name): (&str, &str), facts: Option<ServiceAccountFacts>) {
        let mut objects = self.objects.lock();
        let entries = self.entries.pin();
        for (record, state) in objects.service_account(namespace, name, facts) {
            let known = record.ids.iter().filter_map(|id| entries.get(id));
            for entry in known.filter(|entry| Arc::ptr_eq(&entry.key, &record.key)) {
                entry.set_service_account(state);
            }
        }
    }

    /// A grant is as `facts` say; `None`: it is gone.
    pub fn grant(&self, (namespace, name): (&str, &str), facts: Option<GrantFacts>) {
        self.objects.lock().grant(namespace, name, facts);
    }

    /// Forgets every key that a new list does not name.
    pub fn only_keys(&self, listed: &HashSet<ObjectName>) {
        let gone = self.objects.lock().keys_not_in(listed);
        for (namespace, name) in gone {
            self.key((&namespace, &name), Version::default(), None);
        }
    }

    /// Forgets every service account that a new list does not name.
    pub fn only_service_accounts(&self, listed: &HashSet<ObjectName>) {
        let gone = self.objects.lock().service_accounts_not_in(listed);
        for (namespace, name) in gone {
            self.service_account((&namespace, &name), None);
        }
    }

    /// Forgets every grant that a new list does not name.
    pub fn only_grants(&self, listed: &HashSet<ObjectName>) {
        let gone = self.objects.lock().grants_not_in(listed);
        for (namespace, name) in gone {
            self.grant((&namespace, &name), None);
        }
    }

    /// Lets go of service accounts that do not exist and that nothing names any more.
    pub fn tidy(&self) {
        self.objects.lock().tidy();
    }

    /// The accounts that have keys.
    pub fn accounts(&self) -> BTreeSet<Arc<str>> {
        self.objects.lock().accounts()
    }

    /// The key of that name, as it is now.
    pub fn key_named(&self, namespace: &str, name: &str) -> Option<KeyVersion> {
        self.objects.lock().key_named(namespace, name)
    }
}

type Entries<'a> = HashMapRef<'a, TokenId, Entry, IdHasher, LocalGuard<'a>>;

/// Takes the token out, if it is that key's.
fn forget(entries: &Entries<'_>, key: &Arc<Key>, id: &TokenId) {
    if entries.get(id).is_some_and(|entry| Arc::ptr_eq(&entry.key, key)) {
        entries.remove(id).inspect(|gone| gone.keep_usage());
    }
}

/// See [`Index::read`].
pub struct ReadGuard<'a>(Entries<'a>);

impl ReadGuard<'_> {
    /// What is known under a token's id.
    pub fn get(&self, id: &TokenId) -> Option<&Entry> {
        self.0.get(id)
    }
}
