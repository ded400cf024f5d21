//! Slows down who fails too often. Only answers to failures wait, so nobody can lock a key by guessing at it,
//! and good requests from the same address are as fast as ever. It decides nothing about tokens, and reports
//! nothing.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::domain::verdict::{Cause, Class};
use crate::runtime::clock::Clock;
use crate::runtime::rate::KeyedRate;
use crate::verifier::check::client::Client;

/// How many failures an address may have a second, in the long run, before the answers to more are held back.
const FAILURES_PER_SECOND: NonZeroU32 = NonZeroU32::new(5).unwrap();
/// How many it may have at once.
pub(super) const FAILURES_AT_ONCE: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// How long an answer is held back.
const DELAY: Duration = Duration::from_secs(1);
/// How many answers may be held back at once; what is beyond is refused at once, with 429.
const HELD_BACK: usize = 512;

/// Knows who failed too often.
pub struct Throttle {
    failures: KeyedRate,
    held_back: Semaphore,
}

/// When a refusal is answered.
#[derive(Debug)]
pub(super) enum Pace<'a> {
    /// At once.
    AtOnce,
    /// Later: see [`HeldBack::wait`].
    HeldBack(HeldBack<'a>),
    /// At once, but as [`Cause::TooManyFailures`]: too many others are held back.
    TooManyFailures,
}

/// One of the answers that may be held back at once.
#[derive(Debug)]
pub(super) struct HeldBack<'a>(SemaphorePermit<'a>);

impl HeldBack<'_> {
    /// Waits until the answer may go out.
    pub(super) async fn wait(self) {
        tokio::time::sleep(DELAY).await;
        drop(self.0);
    }
}

impl Throttle {
    /// A throttle that knows of no failure yet; see [`KeyedRate`] for `seed`.
    pub fn new(clock: Clock, seed: u64) -> Self {
        let quota = Quota::per_second(FAILURES_PER_SECOND).allow_burst(FAILURES_AT_ONCE);
        Self { failures: KeyedRate::new(quota, clock, seed), held_back: Semaphore::new(HELD_BACK) }
    }

    /// When a refusal for `cause` is answered. A bad token counts as a failure of `client`.
    pub(super) fn pace(&self, client: Client, cause: Cause) -> Pace<'_> {
        let failing = client.throttled().filter(|_| cause.class() == Class::InvalidToken);
        if failing.is_none_or(|client| self.failures.check(&client)) {
            return Pace::AtOnce;
        }
        match self.held_back.try_acquire() {
            Ok(permit) => Pace::HeldBack(HeldBack(permit)),
            Err(_) => Pace::TooManyFailures,
        }
    }

    /// Forgets addresses that have not failed for a while.
    pub fn tidy(&self) {
        self.failures.tidy();
    }

    /// Takes every place for an answer that is held back.
    #[cfg(test)]
    pub(in crate::verifier) fn full(&self) -> SemaphorePermit<'_> {
        self.held_back.try_acquire_many(u32::try_from(HELD_BACK).unwrap()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::clock::ManualClock;
    use chrono::DateTime;

    fn client(address: &str) -> Client {
        Client::Own(address.parse().unwrap())
    }

    async fn waited(throttle: &Throttle, address: &str, cause: Cause) -> Duration {
        let start = tokio::time::Instant::now();
        match throttle.pace(client(address), cause) {
            Pace::AtOnce => {}
            Pace::HeldBack(held_back) => held_back.wait().await,
            Pace::TooManyFailures => panic!("nobody else waits"),
        }
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_fails_again_and_again_waits_and_others_do_not() {
        let throttle = Throttle::new(Clock::System, 7);
        for _ in 0..FAILURES_AT_ONCE.get() {
            assert_eq!(waited(&throttle, "203.0.113.1", Cause::WrongSecret).await, Duration::ZERO);
        }
        assert_eq!(waited(&throttle, "203.0.113.1", Cause::UnknownKey).await, DELAY);
        assert_eq!(waited(&throttle, "203.0.113.2", Cause::UnknownKey).await, Duration::ZERO);
        assert_eq!(waited(&throttle, "203.0.113.1", Cause::NoCredential).await, Duration::ZERO);
        assert_eq!(waited(&throttle, "203.0.113.1", Cause::RoleTooLow).await, Duration::ZERO);
        throttle.tidy();
    }

    #[test]
    fn when_too_many_wait_the_next_is_refused_at_once() {
        let throttle = Throttle::new(Clock::System, 7);
        let fail = || throttle.pace(client("203.0.113.1"), Cause::Checksum);
        let all = throttle.full();
        for _ in 0..FAILURES_AT_ONCE.get() {
            assert!(matches!(fail(), Pace::AtOnce));
        }
        assert!(matches!(fail(), Pace::TooManyFailures));
        drop(all);
        assert!(matches!(fail(), Pace::HeldBack(_)));
    }

    #[test]
    fn an_ipv6_network_fails_as_one_and_its_neighbour_as_another() {
        let throttle = Throttle::new(Clock::System, 7);
        let fail = |address: &str| throttle.pace(client(address), Cause::Checksum);
        for number in 0..FAILURES_AT_ONCE.get() {
            assert!(matches!(fail(&format!("2001:db8:0:1:{number:x}::1")), Pace::AtOnce));
        }
        assert!(matches!(fail("2001:db8:0:1:ffff::"), Pace::HeldBack(_)));
        assert!(matches!(fail("2001:db8:0:2::1"), Pace::AtOnce));
        for _ in 0..FAILURES_AT_ONCE.get() {
            assert!(matches!(fail("203.0.113.1"), Pace::AtOnce));
        }
        assert!(matches!(fail("::ffff:203.0.113.1"), Pace::HeldBack(_)));
        assert!(matches!(fail("::ffff:203.0.113.2"), Pace::AtOnce));
    }

    #[test]
    fn failures_are_forgiven_with_time() {
        let manual = ManualClock::new(DateTime::UNIX_EPOCH);
        let throttle = Throttle::new(Clock::Manual(manual.clone()), 7);
        let fail = || throttle.pace(client("203.0.113.1"), Cause::Checksum);
        for _ in 0..FAILURES_AT_ONCE.get() {
            assert!(matches!(fail(), Pace::AtOnce));
        }
        assert!(matches!(fail(), Pace::HeldBack(_)));
        manual.advance(Duration::from_secs(1));
        for _ in 0..FAILURES_PER_SECOND.get() {
            assert!(matches!(fail(), Pace::AtOnce));
        }
        assert!(matches!(fail(), Pace::HeldBack(_)));
    }
}
