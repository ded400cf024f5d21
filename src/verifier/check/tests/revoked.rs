//! Refusals of keys that are known are told, whatever strangers and other keys do.

use std::time::Duration;

use chrono::DateTime;

use super::lines::{Line, Lines};
use super::{PEER, checker, fail, fail_too_often};
use crate::api::access_key::KeyState;
use crate::domain::access_key::record::Trust;
use crate::domain::value::digest::sha256;
use crate::domain::value::token::{Token, TokenId};
use crate::domain::verdict::{
    Cause, HolderState, KeyFacts, Requirements, ServiceAccountFacts, StoredToken, TokenKind,
};
use crate::runtime::clock::{Clock, ManualClock};
use crate::verifier::check::checker::Checker;
use crate::verifier::check::client::Client;
use crate::verifier::check::endpoint::Endpoint;
use crate::verifier::check::request::Request;
use crate::verifier::index::Version;

/// The token of a key that is switched off.
fn switched_off(checker: &Checker, name: &str, byte: u8) -> Token {
    let token = Token::from_random(&[byte; 64]).unwrap();
    let stored = StoredToken {
        hash: sha256(token.reveal().as_bytes()),
        kind: TokenKind::Current,
        good_until: i64::MAX,
    };
    let facts = KeyFacts {
        service_account: "ci".into(),
        issued_for: "u".into(),
        state: KeyState::Inactive,
        tokens: vec![(TokenId::parse(token.id()).unwrap(), stored)],
        claim: None,
        last_used_at: None,
    };
    // As before there were seals.
    checker.index.set_trust(Trust { adopting: true, ..Trust::default() });
    let version = Version { uid: name, resource_version: "1" };
    checker.index.key(("team-a", name), version, Some(facts));
    let service_account = ServiceAccountFacts { uid: "u".into(), state: HolderState::Active };
    checker.index.service_account(("team-a", "ci"), Some(service_account));
    token
}

async fn present(checker: &Checker, token: &Token) -> Cause {
    let request = Request {
        endpoint: Endpoint::Auth,
        credential: Ok(token.reveal()),
        requirements: Ok(Requirements::default()),
        client: Client::Relay(PEER),
        request_id: "",
    };
    checker.check(&request, |_| ()).await.unwrap_err().cause
}

fn objects(lines: &[Line]) -> Vec<&str> {
    lines.iter().filter_map(|line| line.get("object")).map(String::as_str).collect()
}

fn counts(lines: &[Line]) -> Vec<(&str, &str)> {
    let sums = lines.iter().filter_map(|line| Some((&**line.get("message")?, &**line.get("count")?)));
    sums.collect()
}

#[tokio::test]
async fn no_stranger_and_no_other_key_drowns_the_refusals_of_a_key() {
    let checker = checker();
    let (leaked, other) = (switched_off(&checker, "leaked", 1), switched_off(&checker, "other", 2));
    let lines = Lines::default();
    let _here = lines.collect();
    for _ in 0..300 {
        fail(&checker, Endpoint::Auth, Client::Relay(PEER)).await;
        present(&checker, &other).await;
    }
    lines.taken();
    assert_eq!(present(&checker, &leaked).await, Cause::KeyInactive);
    assert_eq!(objects(&lines.taken()), ["AccessKey/leaked"]);
    checker.audit.sum_up();
    assert_eq!(
        counts(&lines.taken()),
        [
            ("Further refusals, too many to tell each", "100"),
            ("Further refusals of keys whose token was presented, too many to tell each", "280"),
        ]
    );
    checker.audit.sum_up();
    assert_eq!(lines.taken(), Vec::<Line>::new(), "each is said once");
    let text = checker.metrics.text(&checker.index, &checker.freshness).unwrap();
    for (presented, count) in [("other", 100), ("token", 280)] {
        let line = format!("keyward_verifier_untold_refusals_total{{presented=\"{presented}\"}} {count}\n");
        assert!(text.contains(&line), "{text}");
    }
}

#[tokio::test]
async fn a_key_that_was_refused_often_is_told_again_after_a_while() {
    let manual = ManualClock::new(DateTime::UNIX_EPOCH);
    let checker = super::checker_with(Clock::Manual(manual.clone()));
    let leaked = switched_off(&checker, "leaked", 1);
    let lines = Lines::default();
    let _here = lines.collect();
    for _ in 0..30 {
        present(&checker, &leaked).await;
    }
    assert_eq!(lines.taken().len(), 20);
    manual.advance(Duration::from_secs(1));
    present(&checker, &leaked).await;
    present(&checker, &leaked).await;
    assert_eq!(lines.taken().len(), 1);
}

#[tokio::test]
async fn whose_token_it_was_is_told_though_too_many_are_held_back() {
    let checker = checker();
    let leaked = switched_off(&checker, "leaked", 1);
    fail_too_often(&checker).await;
    let _others = checker.throttle.full();
    let lines = Lines::default();
    let _here = lines.collect();
    let request = Request {
        endpoint: Endpoint::Auth,
        credential: Ok(leaked.reveal()),
        requirements: Ok(Requirements::default()),
        client: Client::Own(PEER),
        request_id: "",
    };
    assert_eq!(checker.check(&request, |_| ()).await.unwrap_err().cause, Cause::KeyInactive);
    assert_eq!(objects(&lines.taken()), ["AccessKey/leaked"]);
}
