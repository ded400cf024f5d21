//! What readers see of the index after changes of objects.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::DateTime;
use proptest::prelude::*;

use super::*;
use crate::api::access_key::KeyState;
use crate::api::access_key::TokenStatus;
use crate::api::resource_grant::{Category, Role};
use crate::domain::access_key::record::{Claim, Record, Trust};
use crate::domain::value::seal::{PublicKeys, SigningKey};
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
        claim: None,
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

/// What the key with that UID claims of the token `number`, with a seal that was made for it.
fn claim(uid: &str, number: u8, key: &SigningKey) -> Claim {
    claim_of((uid, uid), number, key)
}

/// The same with a seal that was made for the second.
fn claim_of((uid, sealed_for): (&str, &str), number: u8, key: &SigningKey) -> Claim {
    let at = |second| DateTime::from_timestamp(second, 0).unwrap();
    let token = TokenStatus {
        id: id(number).as_str().into(),
        sha256: format!("{number}"),
        revision: 1,
        issued_at: at(1),
        expires_at: at(2),
    };
    let record = Record { token, next: None, previous: None, service_account_uid: "u".into(), serial: 1 };
    record.claim(uid, &record.seal(sealed_for, key))
}

fn signing_key(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32]).unwrap()
}

fn trust() -> Trust {
    Trust { keys: PublicKeys::new([&signing_key(1).public()]), adopting: false }
}

/// The name of the key that has token 1, and whether it is believed.
fn owner(index: &Index) -> Option<(String, bool)> {
    let index_now = index.read();
    let entry = index_now.get(&id(1))?;
    Some((entry.key.name.to_string(), index.is_sealed(entry)))
}

#[test]
fn a_token_id_belongs_to_the_key_that_it_was_sealed_for_whatever_comes_first() {
    let good = || KeyFacts { claim: Some(claim("g", 1, &signing_key(1))), ..key(&[1]) };
    let of_another_sealer = Some(claim("e", 1, &signing_key(2)));
    let of_another_key = Some(claim_of(("e", "g"), 1, &signing_key(1)));
    for (what, claimed) in [("none", None), ("forged", of_another_sealer), ("copied", of_another_key)] {
        for good_first in [true, false] {
            let index = Index::default();
            index.set_trust(trust());
            let evil = || {
                let facts = KeyFacts { claim: claimed.clone(), ..key(&[1]) };
                index.key(("b", "evil"), version("e"), Some(facts));
            };
            if !good_first {
                evil();
                assert_eq!(owner(&index), Some(("evil".into(), false)), "{what}");
            }
            index.key(("a", "good"), version("g"), Some(good()));
            if good_first {
                evil();
            }
            assert_eq!(owner(&index), Some(("good".into(), true)), "{what}, good first: {good_first}");
            assert_eq!(index.contested(), 1);
            index.key(("b", "evil"), version("e"), None);
            assert_eq!(owner(&index), Some(("good".into(), true)), "{what}: it cannot take it away");
            index.key(("a", "good"), version("g"), None);
            assert!(index.is_empty());
        }
    }
}

#[test]
fn a_seal_is_checked_again_when_it_changes_or_the_keys_do() {
    let index = Index::default();
    let put =
        |uid: &str, claim| index.key(("a", "good"), version(uid), Some(KeyFacts { claim, ..key(&[1]) }));
    let sealed = || owner(&index).unwrap().1;
    put("g", Some(claim("g", 1, &signing_key(1))));
    assert!(!sealed(), "no key is known yet");
    index.set_trust(trust());
    assert!(sealed());
    put("g", Some(claim("g", 1, &signing_key(1))));
    assert!(sealed());
    put("g", Some(claim("g", 1, &signing_key(2))));
    assert!(!sealed());
    put("g", Some(claim("g", 1, &signing_key(1))));
    assert!(sealed());
    index.set_trust(Trust { adopting: true, ..Trust::default() });
    assert!(!sealed(), "its key is not trusted any more");
    put("g", None);
    assert!(sealed(), "from before there were seals");
    index.set_trust(Trust::default());
    assert!(!sealed());
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
        let known = index.read().get(&id(1)).unwrap().known(true, &[]);
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
