//! What readers see of the index after changes of objects.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::api::access_key::KeyState;
use crate::api::resource_grant::{Category, Role};
use crate::domain::value::token::TokenId;
use crate::domain::verdict::{
    Grant, GrantFacts, HolderState, KeyFacts, ServiceAccountFacts, StoredToken, TokenKind,
};

fn id(number: u8) -> TokenId {
    TokenId::parse(&format!("{number:012}")).unwrap()
}

fn key(tokens: &[u8]) -> KeyFacts {
    let token = |number| StoredToken { hash: [number; 32], kind: TokenKind::Current, good_until: 1 };
    KeyFacts {
        service_account: "ci".into(),
        issued_for: "u".into(),
        state: KeyState::Active,
        tokens: tokens.iter().map(|number| (id(*number), token(*number))).collect(),
        last_used_at: None,
    }
}

fn version(uid: &str) -> Version<'_> {
    Version { uid, resource_version: "1" }
}

fn known(index: &Index) -> Vec<u8> {
    (0..=20).filter(|number| index.read().get(&id(*number)).is_some()).collect()
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
    let used = |number: u8, second: i64| index.read().get(&id(number)).unwrap().usage.used(second);
    let taken = |number: u8| index.take_usage(&index.read().get(&id(number)).unwrap().key);
    index.key(("a", "deploy"), version("k"), Some(key(&[1, 2])));
    assert!(used(1, 7));
    assert!(!used(1, 5), "it is queued already");
    assert!(used(2, 6), "each token by itself");
    index.key(("a", "deploy"), version("k"), Some(key(&[1, 3])));
    assert_eq!(taken(1), (7, 3), "an earlier second does not count, and a token that is gone does");
    assert_eq!(taken(1), (7, 0), "nothing since");
    assert!(used(3, 9));
    let before = Arc::clone(&index.read().get(&id(3)).unwrap().key);
    index.key(("a", "deploy"), version("another"), Some(key(&[3])));
    assert_eq!(taken(3), (0, 0), "another key of the same name");
    assert_eq!(index.take_usage(&before), (9, 1), "what was used before is not lost");
}

fn service_account(uid: &str, state: HolderState) -> ServiceAccountFacts {
    ServiceAccountFacts { uid: uid.into(), state }
}

#[test]
fn keys_see_what_becomes_of_the_service_account_that_they_were_issued_for() {
    let index = Index::default();
    index.key(("a", "deploy"), version("k"), Some(key(&[1])));
    let state = || index.read().get(&id(1)).unwrap().state().service_account;
    assert_eq!(state(), HolderState::Gone, "it was not seen yet");
    for (facts, expected) in [
        (Some(service_account("u", HolderState::Active)), HolderState::Active),
        (Some(service_account("u", HolderState::Inactive)), HolderState::Inactive),
        (Some(service_account("u", HolderState::Rejected)), HolderState::Rejected),
        (Some(service_account("another", HolderState::Active)), HolderState::Replaced),
        (None, HolderState::Gone),
        (Some(service_account("u", HolderState::Active)), HolderState::Active),
    ] {
        index.service_account(("a", "ci"), facts);
        assert_eq!(state(), expected);
    }
    index.service_account(("b", "ci"), None);
    assert_eq!(state(), HolderState::Active, "one of the same name elsewhere is another");
}

#[test]
fn of_two_service_accounts_of_one_name_each_key_has_its_own() {
    let index = Index::default();
    index.service_account(("a", "ci"), Some(service_account("u", HolderState::Active)));
    index.key(("a", "old"), version("o"), Some(key(&[1])));
    index.key(("a", "new"), version("n"), Some(KeyFacts { issued_for: "v".into(), ..key(&[2]) }));
    let states = || [1, 2].map(|number| index.read().get(&id(number)).unwrap().state().service_account);
    assert_eq!(states(), [HolderState::Active, HolderState::Replaced]);
    index.service_account(("a", "ci"), Some(service_account("v", HolderState::Active)));
    assert_eq!(states(), [HolderState::Replaced, HolderState::Active]);
}

#[test]
fn a_token_id_that_two_keys_name_belongs_to_the_last_one_and_its_service_account() {
    let index = Index::default();
    index.key(("a", "first"), version("f"), Some(key(&[1])));
    let second = KeyFacts { service_account: "other".into(), ..key(&[1]) };
    index.key(("a", "second"), version("s"), Some(second));
    let state = || index.read().get(&id(1)).unwrap().state().service_account;
    index.service_account(("a", "ci"), Some(service_account("u", HolderState::Active)));
    assert_eq!(state(), HolderState::Gone, "the first one's service account");
    index.service_account(("a", "other"), Some(service_account("u", HolderState::Inactive)));
    assert_eq!(state(), HolderState::Inactive);
}

#[test]
fn keys_see_a_change_of_their_service_accounts_grants_at_once() {
    let index = Index::default();
    index.key(("a", "deploy"), version("k"), Some(key(&[1])));
    let holder = Arc::clone(&index.read().get(&id(1)).unwrap().key.holder);
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
    index.service_account(("a", "ci"), Some(service_account("u", HolderState::Active)));
    index.only_keys(&HashSet::from([("a".into(), "two".into())]));
    assert_eq!(known(&index), [2]);
    let state = || index.read().get(&id(2)).unwrap().state().service_account;
    assert_eq!(state(), HolderState::Active);
    index.only_service_accounts(&HashSet::new());
    assert_eq!(state(), HolderState::Gone);
}

#[test]
fn a_service_account_that_nothing_names_is_let_go() {
    let index = Index::default();
    index.grant(("a", "g"), None);
    index.service_account(("a", "ci"), None);
    assert_eq!(index.objects.lock().service_accounts_not_in(&HashSet::new()).len(), 1);
    index.tidy();
    assert!(index.objects.lock().service_accounts_not_in(&HashSet::new()).is_empty());
    index.key(("a", "deploy"), version("k"), Some(key(&[1])));
    index.tidy();
    assert_eq!(index.objects.lock().service_accounts_not_in(&HashSet::new()).len(), 1, "a key names it");
}

#[test]
fn a_change_of_a_token_is_seen_whole() {
    let index = Index::default();
    let seen = || {
        let known = index.read().get(&id(1)).unwrap().known(&[]);
        (known.token, known.state)
    };
    let states =
        [KeyState::Pending, KeyState::Active, KeyState::Inactive, KeyState::Expired, KeyState::Rejected];
    for kind in [TokenKind::Current, TokenKind::Next, TokenKind::Previous] {
        for state in states {
            for good_until in [0, 1, 253_402_300_799] {
                let token = StoredToken { hash: [1; 32], kind, good_until };
                let facts = KeyFacts { state, tokens: vec![(id(1), token)], ..key(&[]) };
                index.key(("a", "deploy"), version("k"), Some(facts));
                assert_eq!(seen(), (token, state));
                for standing in [HolderState::Inactive, HolderState::Active] {
                    index.service_account(("a", "ci"), Some(service_account("u", standing)));
                    assert_eq!(seen(), (token, state), "{standing:?}");
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
