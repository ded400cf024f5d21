//! What the verifier knows of the cluster, by token id. Readers take no lock; there is one writer at a time, and a reader
//! sees each object as it was before a change or after it, never in between.

mod entry;
mod places;

use std::collections::HashSet;
use std::sync::Arc;

use papaya::{HashMap, HashMapRef, LocalGuard};
use parking_lot::Mutex;

use crate::domain::value::token::TokenId;
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
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::api::access_key::KeyState;
    use crate::api::resource_grant::{Category, Role};
    use crate::domain::verdict::{Credential, CredentialKind, Grant, Standing};

    fn id(number: u8) -> TokenId {
        TokenId::parse(&format!("{number:012}")).unwrap()
    }

    fn key(tokens: &[u8]) -> KeyFacts {
        let credential =
            |number| Credential { hash: [number; 32], kind: CredentialKind::Current, good_until: 1 };
        KeyFacts {
            service_account: "ci".into(),
            issued_for: "u".into(),
            state: KeyState::Active,
            credentials: tokens.iter().map(|number| (id(*number), credential(*number))).collect(),
            last_used_at: None,
        }
    }

    fn version(uid: &str) -> Version<'_> {
        Version { uid, resource_version: "1" }
    }

    fn known(index: &Index) -> Vec<u8> {
        (0..=20).filter(|number| index.look().get(&id(*number)).is_some()).collect()
    }

    #[test]
    fn a_rotation_replaces_the_tokens_and_a_deletion_takes_them_all() {
        let index = Index::default();
        index.key(("a", "deploy"), version("k"), Some(key(&[1])));
        index.key(("a", "deploy"), version("k"), Some(key(&[1, 2])));
        assert_eq!(known(&index), [1, 2]);
        index.key(("a", "deploy"), version("k"), Some(key(&[2])));
        assert_eq!(known(&index), [2]);
        index.key(("a", "deploy"), version("k"), None);
        assert!(index.is_empty());
    }

    #[test]
    fn use_that_is_not_recorded_yet_outlives_a_change_of_the_key_but_not_the_key() {
        let index = Index::default();
        let used = |number: u8, second: i64| index.look().get(&id(number)).unwrap().usage.used(second);
        let taken = |number: u8| index.take_usage(&index.look().get(&id(number)).unwrap().key);
        index.key(("a", "deploy"), version("k"), Some(key(&[1, 2])));
        assert!(used(1, 7));
        assert!(!used(1, 5), "it is queued already");
        assert!(used(2, 6), "each token by itself");
        index.key(("a", "deploy"), version("k"), Some(key(&[1, 3])));
        assert_eq!(taken(1), (7, 3), "an earlier second does not count, and a token that is gone does");
        assert_eq!(taken(1), (7, 0), "nothing since");
        assert!(used(3, 9));
        let before = Arc::clone(&index.look().get(&id(3)).unwrap().key);
        index.key(("a", "deploy"), version("another"), Some(key(&[3])));
        assert_eq!(taken(3), (0, 0), "another key of the same name");
        assert_eq!(index.take_usage(&before), (9, 1), "what was used before is not lost");
    }

    fn service_account(uid: &str, standing: Standing) -> ServiceAccountFacts {
        ServiceAccountFacts { uid: uid.into(), standing }
    }

    #[test]
    fn keys_see_what_becomes_of_the_service_account_that_they_were_issued_for() {
        let index = Index::default();
        index.key(("a", "deploy"), version("k"), Some(key(&[1])));
        let standing = || index.look().get(&id(1)).unwrap().changing().service_account;
        assert_eq!(standing(), Standing::Gone, "it was not seen yet");
        for (facts, expected) in [
            (Some(service_account("u", Standing::Active)), Standing::Active),
            (Some(service_account("u", Standing::Inactive)), Standing::Inactive),
            (Some(service_account("u", Standing::Rejected)), Standing::Rejected),
            (Some(service_account("another", Standing::Active)), Standing::Replaced),
            (None, Standing::Gone),
            (Some(service_account("u", Standing::Active)), Standing::Active),
        ] {
            index.service_account(("a", "ci"), facts);
            assert_eq!(standing(), expected);
        }
        index.service_account(("b", "ci"), None);
        assert_eq!(standing(), Standing::Active, "one of the same name elsewhere is another");
    }

    #[test]
    fn of_two_service_accounts_of_one_name_each_key_has_its_own() {
        let index = Index::default();
        index.service_account(("a", "ci"), Some(service_account("u", Standing::Active)));
        index.key(("a", "old"), version("o"), Some(key(&[1])));
        index.key(("a", "new"), version("n"), Some(KeyFacts { issued_for: "v".into(), ..key(&[2]) }));
        let standings =
            || [1, 2].map(|number| index.look().get(&id(number)).unwrap().changing().service_account);
        assert_eq!(standings(), [Standing::Active, Standing::Replaced]);
        index.service_account(("a", "ci"), Some(service_account("v", Standing::Active)));
        assert_eq!(standings(), [Standing::Replaced, Standing::Active]);
    }

    #[test]
    fn a_token_id_that_two_keys_name_belongs_to_the_last_one_and_its_service_account() {
        let index = Index::default();
        index.key(("a", "first"), version("f"), Some(key(&[1])));
        let second = KeyFacts { service_account: "other".into(), ..key(&[1]) };
        index.key(("a", "second"), version("s"), Some(second));
        let standing = || index.look().get(&id(1)).unwrap().changing().service_account;
        index.service_account(("a", "ci"), Some(service_account("u", Standing::Active)));
        assert_eq!(standing(), Standing::Gone, "the first one's service account");
        index.service_account(("a", "other"), Some(service_account("u", Standing::Inactive)));
        assert_eq!(standing(), Standing::Inactive);
    }

    #[test]
    fn keys_see_a_change_of_their_service_accounts_grants_at_once() {
        let index = Index::default();
        index.key(("a", "deploy"), version("k"), Some(key(&[1])));
        let holder = Arc::clone(&index.look().get(&id(1)).unwrap().key.holder);
        let grant =
            Grant { category: Category::App, name: "x".into(), role: Role::Admin, impersonation: false };
        let facts = |service_account: &str| GrantFacts {
            service_account: service_account.into(),
            grant: grant.clone(),
        };
        index.grant(("a", "g"), Some(facts("ci")));
        index.grant(("b", "g"), Some(facts("ci")));
        assert_eq!(**holder.grants.load(), std::slice::from_ref(&grant));
        index.grant(("a", "g"), Some(facts("other")));
        assert!(holder.grants.load().is_empty());
    }

    #[test]
    fn what_a_new_list_does_not_name_is_forgotten() {
        let index = Index::default();
        for (name, token) in [("one", 1), ("two", 2)] {
            index.key(("a", name), version(name), Some(key(&[token])));
        }
        index.service_account(("a", "ci"), Some(service_account("u", Standing::Active)));
        index.only_keys(&HashSet::from([("a".into(), "two".into())]));
        assert_eq!(known(&index), [2]);
        let standing = || index.look().get(&id(2)).unwrap().changing().service_account;
        assert_eq!(standing(), Standing::Active);
        index.only_service_accounts(&HashSet::new());
        assert_eq!(standing(), Standing::Gone);
    }

    #[test]
    fn a_service_account_that_nothing_names_is_let_go() {
        let index = Index::default();
        index.grant(("a", "g"), None);
        index.service_account(("a", "ci"), None);
        assert_eq!(index.places.lock().service_accounts_beside(&HashSet::new()).len(), 1);
        index.tidy();
        assert!(index.places.lock().service_accounts_beside(&HashSet::new()).is_empty());
        index.key(("a", "deploy"), version("k"), Some(key(&[1])));
        index.tidy();
        assert_eq!(index.places.lock().service_accounts_beside(&HashSet::new()).len(), 1, "a key names it");
    }

    #[test]
    fn a_change_of_a_token_is_seen_whole() {
        let index = Index::default();
        let seen = || {
            let known = index.look().get(&id(1)).unwrap().known(&[]);
            (known.credential, known.state)
        };
        let states =
            [KeyState::Pending, KeyState::Active, KeyState::Inactive, KeyState::Expired, KeyState::Rejected];
        for kind in [CredentialKind::Current, CredentialKind::Next, CredentialKind::Previous] {
            for state in states {
                for good_until in [0, 1, 253_402_300_799] {
                    let credential = Credential { hash: [1; 32], kind, good_until };
                    let facts = KeyFacts { state, credentials: vec![(id(1), credential)], ..key(&[]) };
                    index.key(("a", "deploy"), version("k"), Some(facts));
                    assert_eq!(seen(), (credential, state));
                    for standing in [Standing::Inactive, Standing::Active] {
                        index.service_account(("a", "ci"), Some(service_account("u", standing)));
                        assert_eq!(seen(), (credential, state), "{standing:?}");
                    }
                }
            }
        }
    }

    proptest! {
        /// Whatever happened before, the tokens known are those of the keys as they were seen last.
        #[test]
        fn exactly_the_tokens_of_the_keys_are_known(
            changes in prop::collection::vec((0u8..4, prop::option::of(prop::collection::btree_set(0u8..4, 0..3))), 0..30)
        ) {
            let index = Index::default();
            let mut last = std::collections::BTreeMap::new();
            for (number, tokens) in changes {
                // No two keys ever have the same token.
                let tokens = tokens.map(|set| set.into_iter().map(|n| number * 4 + n).collect::<Vec<u8>>());
                let name = number.to_string();
                index.key(("a", &name), version(&name), tokens.as_deref().map(key));
                last.insert(number, tokens.unwrap_or_default());
            }
            let mut expected: Vec<u8> = last.into_values().flatten().collect();
            expected.sort_unstable();
            prop_assert_eq!(known(&index), expected);
        }
    }
}
