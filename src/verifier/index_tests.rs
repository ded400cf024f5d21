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
    let credential = |number| Credential { hash: [number; 32], kind: CredentialKind::Current, good_until: 1 };
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
    let usage = |index: &Index| Arc::clone(&index.look().get(&id(1)).unwrap().key.usage);
    index.key(("a", "deploy"), version("k"), Some(key(&[1])));
    assert!(usage(&index).used(7));
    assert!(!usage(&index).used(5), "it is queued already");
    index.key(("a", "deploy"), version("k"), Some(key(&[1])));
    assert_eq!(usage(&index).take(), (7, 2), "an earlier second does not count");
    index.key(("a", "deploy"), version("another"), Some(key(&[1])));
    assert_eq!(usage(&index).take(), (0, 0));
}

#[test]
fn keys_see_a_change_of_their_service_account_and_its_grants_at_once() {
    let index = Index::default();
    index.key(("a", "deploy"), version("k"), Some(key(&[1])));
    let holder = Arc::clone(&index.look().get(&id(1)).unwrap().key.holder);
    assert!(holder.facts.load().is_none());
    let facts = ServiceAccountFacts { uid: "u".into(), standing: Standing::Inactive };
    index.service_account(("a", "ci"), "1", Some(facts.clone()));
    assert_eq!(holder.facts.load().as_deref(), Some(&facts));
    let grant = Grant { category: Category::App, name: "x".into(), role: Role::Admin, impersonation: false };
    let facts =
        |service_account: &str| GrantFacts { service_account: service_account.into(), grant: grant.clone() };
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
    let facts = ServiceAccountFacts { uid: "u".into(), standing: Standing::Active };
    index.service_account(("a", "ci"), "1", Some(facts));
    index.only_keys(&HashSet::from([("a".into(), "two".into())]));
    assert_eq!(known(&index), [2]);
    let holder = Arc::clone(&index.look().get(&id(2)).unwrap().key.holder);
    index.only_service_accounts(&HashSet::new());
    assert!(holder.facts.load().is_none());
}

#[test]
fn a_service_account_that_nothing_names_is_let_go() {
    let index = Index::default();
    index.grant(("a", "g"), None);
    index.service_account(("a", "ci"), "1", None);
    assert_eq!(index.places.lock().service_accounts_beside(&HashSet::new()).len(), 1);
    index.tidy();
    assert!(index.places.lock().service_accounts_beside(&HashSet::new()).is_empty());
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
