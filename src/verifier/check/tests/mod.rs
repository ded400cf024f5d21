//! How refusals are throttled, counted and audited, whichever endpoint they came in by.

pub(in crate::verifier) mod lines;
mod revoked;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;

use crate::domain::value::token::Token;
use crate::domain::verdict::{Cause, Requirements};
use crate::runtime::clock::{Clock, ManualClock};
use crate::verifier::check::audit::AuditLines;
use crate::verifier::check::checker::Checker;
use crate::verifier::check::client::{Client, TrustedProxies};
use crate::verifier::check::endpoint::Endpoint;
use crate::verifier::check::outcome::Refused;
use crate::verifier::check::request::Request;
use crate::verifier::check::throttle::{FAILURES_AT_ONCE, Throttle};
use crate::verifier::freshness::{Followed, Freshness};
use crate::verifier::index::Index;
use crate::verifier::metrics::Metrics;
use crate::verifier::usage::recorder::Recorder;
use lines::Lines;

/// Where requests come from.
pub(in crate::verifier) const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A checker that knows of no key, with a clock that stands still.
pub(in crate::verifier) fn checker() -> Checker {
    checker_with(Clock::Manual(ManualClock::new(DateTime::UNIX_EPOCH)))
}

fn checker_with(clock: Clock) -> Checker {
    let (recorder, _) = Recorder::new();
    let freshness = Freshness::new(Duration::from_mins(5), clock.clone());
    for kind in Followed::ALL.iter().copied() {
        freshness.heard(kind);
    }
    let metrics = Metrics::default();
    Checker {
        index: Arc::new(Index::default()),
        freshness: Arc::new(freshness),
        trusted_proxies: TrustedProxies::default(),
        throttle: Throttle::new(clock.clone(), 7),
        recorder: Arc::new(recorder),
        audit: AuditLines::new(clock.clone(), 7, metrics.clone()),
        metrics,
        clock,
    }
}

impl Checker {
    /// How many requests of that endpoint were refused for `cause`.
    pub(in crate::verifier) fn counted(&self, endpoint: Endpoint, cause: Cause) -> u32 {
        let (endpoint, cause) = (endpoint.as_str(), cause.as_str());
        let labels = format!("{{endpoint=\"{endpoint}\",outcome=\"refused\",cause=\"{cause}\"}} ");
        let start = format!("keyward_verifier_verifications_total{labels}");
        let text = self.metrics.text(&self.index, &self.freshness).unwrap();
        text.lines().find_map(|line| line.strip_prefix(&start)).unwrap().parse().unwrap()
    }

    fn held_back(&self) -> u64 {
        self.metrics.held_back.get()
    }
}

/// A token that nobody knows.
pub(in crate::verifier) fn guess() -> Token {
    Token::from_random(&[7; 64]).unwrap()
}

/// Presents a token that nobody knows.
async fn fail(checker: &Checker, endpoint: Endpoint, client: Client) -> Refused {
    let guess = guess();
    let request = Request {
        endpoint,
        credential: Ok(guess.reveal()),
        requirements: Ok(Requirements::default()),
        client,
        request_id: "",
    };
    checker.check(&request, |_| ()).await.unwrap_err()
}

/// Has [`PEER`] fail as often as it may at once.
pub(in crate::verifier) async fn fail_too_often(checker: &Checker) {
    for _ in 0..FAILURES_AT_ONCE.get() {
        assert_eq!(fail(checker, Endpoint::Auth, Client::Own(PEER)).await.cause, Cause::UnknownKey);
    }
}

#[tokio::test]
async fn a_throttled_request_is_counted_and_audited_as_such() {
    for endpoint in Endpoint::ALL.iter().copied() {
        let checker = checker();
        fail_too_often(&checker).await;
        let _others = checker.throttle.full();
        let lines = Lines::default();
        let _here = lines.collect();
        assert_eq!(fail(&checker, endpoint, Client::Own(PEER)).await.cause, Cause::TooManyFailures);
        assert_eq!(checker.counted(endpoint, Cause::TooManyFailures), 1, "{endpoint:?}");
        let of_guesses = if endpoint == Endpoint::Auth { FAILURES_AT_ONCE.get() } else { 0 };
        assert_eq!(checker.counted(endpoint, Cause::UnknownKey), of_guesses, "{endpoint:?}: counted once");
        let lines = lines.taken();
        assert_eq!(lines.len(), 1, "{endpoint:?}");
        let says = |field: &str| lines[0].get(field).map(String::as_str);
        assert_eq!(says("cause"), Some("TooManyFailures"));
        assert_eq!(says("endpoint"), Some(endpoint.as_str()));
        assert_eq!(says("reason"), Some("Refused"));
        assert_eq!((says("actor"), says("key_id")), (Some("verifier"), Some(guess().id())));
        assert_eq!(checker.held_back(), 0, "it waits for nothing");
    }
}

#[tokio::test]
async fn a_flood_of_throttled_requests_is_counted_whole_and_audited_within_the_rate() {
    let checker = checker();
    fail_too_often(&checker).await;
    let _others = checker.throttle.full();
    let lines = Lines::default();
    let _here = lines.collect();
    for _ in 0..300 {
        fail(&checker, Endpoint::Verify, Client::Own(PEER)).await;
    }
    assert_eq!(checker.counted(Endpoint::Verify, Cause::TooManyFailures), 300);
    let one_by_one = lines.taken().len();
    assert_eq!(one_by_one, 200 - FAILURES_AT_ONCE.get() as usize, "the failures before had lines, too");
    checker.audit.sum_up();
    let sums = lines.taken();
    assert_eq!(sums.len(), 1);
    assert_eq!(sums[0].get("count").map(String::as_str), Some((300 - one_by_one).to_string().as_str()));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_held_back_is_counted_under_its_own_cause() {
    let checker = checker();
    fail_too_often(&checker).await;
    let start = tokio::time::Instant::now();
    assert_eq!(fail(&checker, Endpoint::Grpc, Client::Own(PEER)).await.cause, Cause::UnknownKey);
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    assert_eq!((checker.counted(Endpoint::Grpc, Cause::UnknownKey), checker.held_back()), (1, 1));
    assert_eq!(checker.counted(Endpoint::Grpc, Cause::TooManyFailures), 0);
}

#[tokio::test]
async fn who_asks_for_others_is_never_throttled() {
    let checker = checker();
    let _others = checker.throttle.full();
    for client in [Client::Relay(PEER), Client::Unknown] {
        for _ in 0..2 * FAILURES_AT_ONCE.get() {
            assert_eq!(fail(&checker, Endpoint::TokenReview, client).await.cause, Cause::UnknownKey);
        }
    }
    assert_eq!(checker.counted(Endpoint::TokenReview, Cause::TooManyFailures), 0);
}
