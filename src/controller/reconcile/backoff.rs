//! Exponential backoff for each object: a failing one is tried again later and later, and holds up no other.

use std::collections::HashMap;
use std::time::Duration;

use kube::Resource;
use kube::runtime::reflector::ObjectRef;
use parking_lot::Mutex;

use crate::runtime::random::Random;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_mins(1);

/// How often each object of a kind has failed in a row.
pub(in crate::controller) struct Backoff<K: Resource<DynamicType = ()>> {
    failures: Mutex<HashMap<ObjectRef<K>, u32>>,
    random: Random,
}

impl<K: Resource<DynamicType = ()>> Backoff<K> {
    /// Nothing has failed yet.
    pub(in crate::controller) fn new(random: Random) -> Self {
        Self { failures: Mutex::default(), random }
    }

    /// The object succeeded.
    pub(in crate::controller) fn succeeded(&self, object: &ObjectRef<K>) {
        self.failures.lock().remove(object);
    }

    /// The object failed again: how long to wait, and how often it has failed.
    pub(in crate::controller) fn failed(&self, object: ObjectRef<K>) -> (Duration, u32) {
        let mut failures = self.failures.lock();
        let count = failures.entry(object).or_default();
        *count = count.saturating_add(1);
        (self.jittered(delay(*count)), *count)
    }

    /// Up to a quarter more, so that objects that failed together do not come back together.
    fn jittered(&self, delay: Duration) -> Duration {
        delay.mul_f64(self.random.jitter(1.0..1.25))
    }
}

fn delay(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    FIRST.saturating_mul(1 << doublings).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_minute() {
        let waits: Vec<u128> = [1, 2, 3, 10, 11, 12, 1000].map(|n| delay(n).as_millis()).into();
        assert_eq!(waits, [50, 100, 200, 25_600, 51_200, 60_000, 60_000]);
    }
}
