//! Slows down who fails too often. Only answers to failures wait, so nobody can lock a key by guessing at it, and good
//! requests from the same address are as fast as ever.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;
use tokio::sync::Semaphore;

use crate::domain::verdict::{Cause, Class};
use crate::verifier::check::checker::Refused;
use crate::verifier::metrics::Metrics;

/// How many failures an address may have a second, in the long run, before the answers to more are held back.
const FAILURES_PER_SECOND: NonZeroU32 = NonZeroU32::new(5).unwrap();
/// How many it may have at once.
const FAILURES_AT_ONCE: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// How long an answer is held back.
const DELAY: Duration = Duration::from_secs(1);
/// How many answers may be held back at once; what is beyond is refused at once, with 429.
const HELD_BACK: usize = 512;

/// Knows who failed too often.
pub struct Throttle {
    trusted: Vec<IpNet>,
    failures: DefaultKeyedRateLimiter<IpAddr>,
    held_back: Semaphore,
    metrics: Metrics,
}

impl Throttle {
    /// A throttle that believes gateways at `trusted` addresses whom they ask for.
    pub fn new(trusted: Vec<IpNet>, metrics: Metrics) -> Self {
        let quota = Quota::per_second(FAILURES_PER_SECOND).allow_burst(FAILURES_AT_ONCE);
        Self { trusted, failures: RateLimiter::keyed(quota), held_back: Semaphore::new(HELD_BACK), metrics }
    }

    /// Who asks: `said` by the peer, where that is believed.
    pub(in crate::verifier) fn client(&self, peer: IpAddr, said: impl FnOnce() -> Option<IpAddr>) -> IpAddr {
        if self.trusts(peer) { said().unwrap_or(peer) } else { peer }
    }

    /// Whether the address is that of a trusted gateway.
    pub(in crate::verifier) fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted.iter().any(|net| net.contains(&peer))
    }

    /// Holds the answer to a failure back, where `client` has had too many.
    pub(in crate::verifier) async fn slow_down(&self, client: IpAddr, refused: Refused) -> Refused {
        if refused.cause.class() != Class::InvalidToken
            || self.failures.check_key(&client.to_canonical()).is_ok()
        {
            return refused;
        }
        let Ok(_held_back) = self.held_back.try_acquire() else {
            return Cause::TooManyFailures.into();
        };
        self.metrics.held_back.inc();
        tokio::time::sleep(DELAY).await;
        refused
    }

    /// Forgets addresses that have not failed for a while.
    pub fn tidy(&self) {
        self.failures.retain_recent();
        self.failures.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle() -> Throttle {
        Throttle::new(vec!["192.0.2.0/24".parse().unwrap()], Metrics::default())
    }

    async fn waited(throttle: &Throttle, client: &str, cause: Cause) -> Duration {
        let start = tokio::time::Instant::now();
        throttle.slow_down(client.parse().unwrap(), cause.into()).await;
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_fails_again_and_again_waits_and_others_do_not() {
        let throttle = throttle();
        for _ in 0..FAILURES_AT_ONCE.get() {
            assert_eq!(waited(&throttle, "203.0.113.1", Cause::WrongSecret).await, Duration::ZERO);
        }
        assert_eq!(waited(&throttle, "203.0.113.1", Cause::UnknownKey).await, DELAY);
        assert_eq!(waited(&throttle, "203.0.113.2", Cause::UnknownKey).await, Duration::ZERO);
        assert_eq!(waited(&throttle, "203.0.113.1", Cause::NoCredential).await, Duration::ZERO);
        assert_eq!(waited(&throttle, "203.0.113.1", Cause::RoleTooLow).await, Duration::ZERO);
        throttle.tidy();
    }

    #[tokio::test(start_paused = true)]
    async fn when_too_many_wait_the_next_is_refused_at_once() {
        let throttle = throttle();
        let all = throttle.held_back.acquire_many(u32::try_from(HELD_BACK).unwrap()).await.unwrap();
        let client: IpAddr = "203.0.113.1".parse().unwrap();
        for _ in 0..FAILURES_AT_ONCE.get() {
            throttle.slow_down(client, Cause::Checksum.into()).await;
        }
        assert_eq!(throttle.slow_down(client, Cause::Checksum.into()).await.cause, Cause::TooManyFailures);
        drop(all);
        assert_eq!(throttle.slow_down(client, Cause::Checksum.into()).await.cause, Cause::Checksum);
    }

    #[test]
    fn only_a_trusted_gateway_is_believed_who_asks() {
        let throttle = throttle();
        let said = || "203.0.113.9".parse().ok();
        let client = |peer: &str| throttle.client(peer.parse().unwrap(), said).to_string();
        assert_eq!(client("192.0.2.7"), "203.0.113.9");
        assert_eq!(client("::ffff:192.0.2.7"), "203.0.113.9");
        assert_eq!(client("198.51.100.1"), "198.51.100.1");
    }
}
