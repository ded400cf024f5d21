use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::resource_grant::{Category, Role};
use crate::api::{AccessKey, ResourceGrant, ServiceAccount};
use crate::domain::value::token::{Presented, Token};

const NOW: i64 = 1_800_000_000;

/// What is required, in words and in fact, and the role it is let in with or the cause it is refused for.
type Table = Vec<(&'static str, Case, Result<Option<Role>, Cause>)>;

fn token(seed: u8) -> Token {
    let bytes: Vec<u8> = (0..=255).map(|n: u8| n.wrapping_mul(31).wrapping_add(seed)).collect();
    Token::from_random(&bytes).unwrap()
}

fn presented(token: &Token) -> Presented<'_> {
    Presented::read(token.reveal()).ok().unwrap()
}

fn rfc3339(second: i64) -> String {
    crate::domain::value::time::rfc3339(chrono::DateTime::from_timestamp(second, 0).unwrap())
}

fn of_token(token: &Token, expires: i64) -> Value {
    json!({"id": token.id(), "sha256": token.sha256(), "revision": 1,
           "issuedAt": rfc3339(NOW - 1000), "expiresAt": rfc3339(expires)})
}

/// A key with three tokens: 1 the current one, 2 the next, 3 the previous, good until ten seconds from now.
fn key() -> Value {
    let mut previous = of_token(&token(3), NOW + 500);
    previous["validUntil"] = json!(rfc3339(NOW + 10));
    json!({
        "metadata": {"name": "deploy", "uid": "k"},
        "spec": {"serviceAccountName": "ci"},
        "status": {"state": "Active", "serviceAccountUID": "u", "token": of_token(&token(1), NOW + 100),
                   "nextToken": of_token(&token(2), NOW + 1000), "previousToken": previous},
    })
}

fn service_account() -> Value {
    json!({"metadata": {"name": "ci", "uid": "u"}, "spec": {}, "status": {"state": "Active"}})
}

fn grant(name: &str, role: &str, impersonation: &str) -> Value {
    json!({
        "metadata": {"name": "g"},
        "spec": {"serviceAccountName": "ci", "resource": {"category": "Process", "name": name},
                 "role": role, "impersonation": impersonation},
    })
}

fn merged(mut object: Value, patch: &Value) -> Value {
    fn merge(into: &mut Value, patch: &Value) {
        match (into, patch) {
            (Value::Object(into), Value::Object(patch)) => {
                for (name, value) in patch {
                    merge(into.entry(name.clone()).or_insert(Value::Null), value);
                }
            }
            (into, patch) => *into = patch.clone(),
        }
    }
    merge(&mut object, patch);
    object
}

/// The world as objects of the API server, and what is required of it.
struct Case {
    key: Value,
    service_account: Option<Value>,
    grants: Vec<Value>,
    token: u8,
    requirements: Requirements,
    now: i64,
    feed: FeedState,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            key: key(),
            service_account: Some(service_account()),
            grants: vec![grant("expenses", "Member", "Disabled")],
            token: 1,
            requirements: Requirements::default(),
            now: NOW,
            feed: FeedState::Fresh,
        }
    }
}

impl Case {
    fn key(patch: &Value) -> Self {
        Self { key: merged(key(), patch), ..Self::default() }
    }

    fn service_account(patch: &Value) -> Self {
        Self { service_account: Some(merged(service_account(), patch)), ..Self::default() }
    }

    fn token(token: u8) -> Self {
        Self { token, ..Self::default() }
    }

    fn asks(resource: Option<(&str, Option<Role>)>, on_behalf_of: Option<&str>) -> Self {
        let resource = resource.map(|(name, role)| RequiredResource {
            category: Category::Process,
            name: name.to_owned(),
            role,
        });
        let on_behalf_of = on_behalf_of.map(|name| OnBehalfOf::parse(name).unwrap());
        Self { requirements: Requirements { resource, on_behalf_of }, ..Self::default() }
    }

    fn with_grants(self, grants: Vec<Value>) -> Self {
        Self { grants, ..self }
    }

    fn verdict(&self) -> Result<Option<Role>, Cause> {
        let key: AccessKey = serde_json::from_value(self.key.clone()).unwrap();
        let facts = KeyFacts::of(&key);
        let service_account = self.service_account.clone().and_then(|object| {
            ServiceAccountFacts::of(&serde_json::from_value::<ServiceAccount>(object).unwrap())
        });
        let grants: Vec<Grant> = self
            .grants
            .iter()
            .filter_map(|g| GrantFacts::of(&serde_json::from_value::<ResourceGrant>(g.clone()).unwrap()))
            .map(|facts| facts.grant)
            .collect();
        let token = token(self.token);
        let presented = presented(&token);
        let stored = facts.as_ref().and_then(|facts| {
            facts.tokens.iter().find(|(id, _)| *id == presented.id).map(|(_, found)| *found)
        });
        let known = facts.as_ref().zip(stored).map(|(facts, stored)| KnownToken {
            token: stored,
            sealed: true,
            state: facts.state,
            service_account: HolderState::to_keys_of(&facts.issued_for, service_account.as_ref()),
            grants: &grants,
        });
        verdict(self.feed, &presented.hash(), known.as_ref(), &self.requirements, self.now)
            .map(|grant| grant.map(|grant| grant.role))
    }
}

#[test]
fn a_good_token_is_let_in_and_every_other_is_refused_for_its_own_cause() {
    let deleted = json!({"metadata": {"deletionTimestamp": rfc3339(NOW)}});
    let table: Table = vec![
        ("the current token", Case::default(), Ok(None)),
        ("the next token, before it is published", Case::token(2), Ok(None)),
        ("the previous token within its overlap", Case::token(3), Ok(None)),
        (
            "the previous token at the end of its overlap",
            Case { now: NOW + 10, ..Case::token(3) },
            Err(Cause::PreviousTokenRetired),
        ),
        ("a token of no key", Case::token(9), Err(Cause::UnknownKey)),
        ("a token at its expiry", Case { now: NOW + 100, ..Case::default() }, Err(Cause::Expired)),
        ("a token a second before", Case { now: NOW + 99, ..Case::default() }, Ok(None)),
        (
            "a token whose hash is another's",
            Case::key(&json!({"status": {"token": {"sha256": token(4).sha256()}}})),
            Err(Cause::WrongSecret),
        ),
        (
            "a key that its spec switches off, before the controller has seen it",
            Case::key(&json!({"spec": {"state": "Inactive"}})),
            Err(Cause::KeyInactive),
        ),
        (
            "a key that is still recorded as switched off",
            Case::key(&json!({"status": {"state": "Inactive"}})),
            Err(Cause::KeyInactive),
        ),
        ("a rejected key", Case::key(&json!({"status": {"state": "Rejected"}})), Err(Cause::KeyRejected)),
        ("an expired key", Case::key(&json!({"status": {"state": "Expired"}})), Err(Cause::Expired)),
        ("a key without a state", Case::key(&json!({"status": {"state": null}})), Err(Cause::KeyPending)),
        ("a key that is being deleted", Case::key(&deleted), Err(Cause::UnknownKey)),
        (
            "a service account that its spec switches off",
            Case::service_account(&json!({"spec": {"state": "Inactive"}})),
            Err(Cause::ServiceAccountInactive),
        ),
        (
            "a service account recorded as switched off",
            Case::service_account(&json!({"status": {"state": "Inactive"}})),
            Err(Cause::ServiceAccountInactive),
        ),
        (
            "a rejected service account",
            Case::service_account(&json!({"status": {"state": "Rejected"}})),
            Err(Cause::ServiceAccountRejected),
        ),
        (
            "a service account that is gone",
            Case { service_account: None, ..Case::default() },
            Err(Cause::ServiceAccountGone),
        ),
        (
            "a service account that is being deleted",
            Case::service_account(&deleted),
            Err(Cause::ServiceAccountGone),
        ),
        (
            "a service account made anew under the same name",
            Case::service_account(&json!({"metadata": {"uid": "v"}})),
            Err(Cause::ServiceAccountReplaced),
        ),
        (
            "a key issued for nobody",
            Case::key(&json!({"status": {"serviceAccountUID": null}})),
            Err(Cause::ServiceAccountReplaced),
        ),
        (
            "before everything is known",
            Case { feed: FeedState::NotSynced, ..Case::default() },
            Err(Cause::NotSynced),
        ),
        ("after too long a silence", Case { feed: FeedState::Stale, ..Case::default() }, Err(Cause::Stale)),
    ];
    for (what, case, expected) in table {
        assert_eq!(case.verdict(), expected, "{what}");
    }
}

#[test]
fn a_resource_needs_a_grant_with_the_role_and_acting_for_others_one_that_allows_it() {
    use Role::{Admin, Editor, Member, Viewer};
    let both = || vec![grant("expenses", "Editor", "Disabled"), grant("expenses", "Member", "Enabled")];
    let table: Table = vec![
        ("any role", Case::asks(Some(("expenses", None)), None), Ok(Some(Member))),
        ("a lower role", Case::asks(Some(("expenses", Some(Viewer))), None), Ok(Some(Member))),
        ("the same role", Case::asks(Some(("expenses", Some(Member))), None), Ok(Some(Member))),
        ("a higher role", Case::asks(Some(("expenses", Some(Admin))), None), Err(Cause::RoleTooLow)),
        ("another resource", Case::asks(Some(("salaries", None)), None), Err(Cause::NotGranted)),
        ("no grant", Case::asks(Some(("expenses", None)), None).with_grants(vec![]), Err(Cause::NotGranted)),
        (
            "acting for another without impersonation",
            Case::asks(Some(("expenses", None)), Some("ann@example.org")),
            Err(Cause::ImpersonationDisabled),
        ),
        (
            "acting for another on no resource",
            Case::asks(None, Some("ann@example.org")),
            Err(Cause::ResourceMissing),
        ),
        (
            "acting for another on a resource without grant",
            Case::asks(Some(("salaries", None)), Some("ann@example.org")),
            Err(Cause::NotGranted),
        ),
        (
            "the highest of two",
            Case::asks(Some(("expenses", None)), None).with_grants(both()),
            Ok(Some(Editor)),
        ),
        (
            "acting for another with the grant that allows it",
            Case::asks(Some(("expenses", None)), Some("ann@example.org")).with_grants(both()),
            Ok(Some(Member)),
        ),
        (
            "acting for another in a role that only the other grant gives",
            Case::asks(Some(("expenses", Some(Editor))), Some("ann@example.org")).with_grants(both()),
            Err(Cause::ImpersonationDisabled),
        ),
    ];
    for (what, case, expected) in table {
        assert_eq!(case.verdict(), expected, "{what}");
    }
}

#[test]
fn what_a_request_names_must_be_able_to_exist() {
    let parse = |category, name, role| {
        RequiredResource::parse(ResourceText { category, name, role }).map_err(|bad| bad.message)
    };
    assert_eq!(parse("Process", "expense-claims", Some("Member")).unwrap().label(), "Process/expense-claims");
    for (category, name, role, message) in [
        (
            "Proces",
            "x",
            None,
            "the resource's category must be one of Process, Dataset, Board, App, Collaboration; it is 'Proces'",
        ),
        (
            "Process",
            "../x",
            None,
            "the resource's name must be 1 to 128 letters, digits, '-', '_' and '.', with a letter or digit at both \
             ends; it is '../x'",
        ),
        (
            "Process",
            "x",
            Some("Owner"),
            "the role must be one of Viewer, Member, Editor, Admin; it is 'Owner'",
        ),
    ] {
        assert_eq!(parse(category, name, role).unwrap_err(), message);
    }
    assert!(OnBehalfOf::parse("ann@example.org").is_ok());
    for name in ["", "ann b", "än", "Keyward:team-a:ci", "system:admin", "a\n", &"x".repeat(254)] {
        assert_eq!(OnBehalfOf::parse(name).unwrap_err().cause, Cause::BadOnBehalfOf, "{name:?}");
    }
}

#[test]
fn every_bad_token_gets_the_same_public_answer() {
    for cause in Cause::ALL {
        assert!(!cause.meaning().is_empty());
        if cause.proves_identity() && cause.class() != Class::InsufficientScope {
            assert_eq!(cause.class(), Class::InvalidToken, "{}", cause.as_str());
        }
    }
}

proptest! {
    #[test]
    fn nobody_gets_in_with_another_secret(own in 0u8..=255, other in 0u8..=255, now in any::<i64>()) {
        // The helper makes the same token of a few pairs of seeds.
        prop_assume!(token(own).reveal() != token(other).reveal() && now != i64::MAX);
        let stored = StoredToken {
            hash: presented(&token(own)).hash(), kind: TokenKind::Current, good_until: i64::MAX,
        };
        let known = KnownToken {
            token: stored, sealed: true, state: KeyState::Active, service_account: HolderState::Active, grants: &[],
        };
        let requirements = Requirements::default();
        prop_assert_eq!(
            verdict(FeedState::Fresh, &presented(&token(other)).hash(), Some(&known), &requirements, now),
            Err(Cause::WrongSecret)
        );
        prop_assert!(verdict(FeedState::Fresh, &presented(&token(own)).hash(), Some(&known), &requirements, now).is_ok());
    }

    #[test]
    fn no_text_makes_the_readers_of_a_request_panic(a in ".{0,300}", b in ".{0,300}") {
        let _ = RequiredResource::parse(ResourceText { category: &a, name: &b, role: Some(&a) });
        if let Ok(name) = OnBehalfOf::parse(&a) {
            prop_assert!(name.as_str().is_ascii() && !name.as_str().contains(char::is_whitespace));
        }
    }
}
