//! Rate limits that go by the process's own [`Clock`].

use std::hash::Hash;
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::runtime::clock::Clock;

/// One limit for all.
pub type Rate = RateLimiter<NotKeyed, InMemoryState, Clock, NoOpMiddleware<Duration>>;

/// A limit for each key.
pub type KeyedRate<K> = RateLimiter<K, HashMapStateStore<K>, Clock, NoOpMiddleware<Duration>>;

/// One limit for all.
pub fn direct(quota: Quota, clock: Clock) -> Rate {
    RateLimiter::direct_with_clock(quota, clock)
}

/// A limit for each key.
pub fn keyed<K: Hash + Eq + Clone>(quota: Quota, clock: Clock) -> KeyedRate<K> {
    RateLimiter::hashmap_with_clock(quota, clock)
}

/// Waits until the limit lets one more through.
pub async fn ready(rate: &Rate) {
    while let Err(early) = rate.check() {
        tokio::time::sleep(early.wait_time_from(rate.clock().monotonic())).await;
    }
}

impl governor::clock::Clock for Clock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.monotonic()
    }
}
