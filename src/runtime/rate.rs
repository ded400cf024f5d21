//! Rate limits that go by the process's own [`Clock`].

use std::hash::{BuildHasher as _, Hash};
use std::time::Duration;

use foldhash::quality::FixedState;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::runtime::clock::Clock;

/// One limit for all.
pub type Rate = RateLimiter<NotKeyed, InMemoryState, Clock, NoOpMiddleware<Duration>>;

/// One limit for all.
pub fn direct(quota: Quota, clock: Clock) -> Rate {
    RateLimiter::direct_with_clock(quota, clock)
}

/// Waits until the limit lets one more through.
pub async fn ready(rate: &Rate) {
    while let Err(early) = rate.check() {
        tokio::time::sleep(early.wait_time_from(rate.clock().monotonic())).await;
    }
}

/// A limit for each key, of whom there may be any number: they fall into at most 65,536 cells, and those in
/// one cell share its limit. So its memory is bounded, and its time whatever the keys are.
pub struct KeyedRate {
    cells: RateLimiter<u16, HashMapStateStore<u16>, Clock, NoOpMiddleware<Duration>>,
    hasher: FixedState,
}

impl KeyedRate {
    /// Who does not know `seed` cannot choose keys that share a cell.
    pub fn new(quota: Quota, clock: Clock, seed: u64) -> Self {
        let cells = RateLimiter::hashmap_with_clock(quota, clock);
        Self { cells, hasher: FixedState::with_seed(seed) }
    }

    /// Whether the limit of `key` lets one more through.
    pub fn check(&self, key: &impl Hash) -> bool {
        let [low, high, ..] = self.hasher.hash_one(key).to_le_bytes();
        self.cells.check_key(&u16::from_le_bytes([low, high])).is_ok()
    }

    /// Forgets those whose limit has nothing against them any more.
    pub fn tidy(&self) {
        self.cells.retain_recent();
        self.cells.shrink_to_fit();
    }

    /// How many cells are in use.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }
}

impl governor::clock::Clock for Clock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.monotonic()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use chrono::DateTime;

    use super::*;
    use crate::runtime::clock::ManualClock;

    #[test]
    fn any_number_of_keys_takes_a_bounded_number_of_cells_and_none_is_kept_for_ever() {
        let manual = ManualClock::new(DateTime::UNIX_EPOCH);
        let quota = Quota::per_second(NonZeroU32::MIN);
        let rate = KeyedRate::new(quota, Clock::Manual(manual.clone()), 7);
        assert!(rate.check(&0));
        assert!(!rate.check(&0));
        for key in 1..300_000 {
            rate.check(&key);
        }
        assert!((60_000..=65_536).contains(&rate.len()), "{}", rate.len());
        manual.advance(Duration::from_mins(1));
        rate.tidy();
        assert_eq!(rate.len(), 0);
        assert!(rate.check(&0));
    }
}
