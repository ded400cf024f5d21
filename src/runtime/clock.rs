//! The one place that reads the time. What is read for each request comes from the kernel's coarse clocks: they are read in
//! a small part of the time, and are 10 milliseconds late at the most.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rustix::time::{ClockId, clock_gettime};

/// Now, with its fraction of a second.
#[allow(clippy::disallowed_methods, reason = "this is where decisions get their time from")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Now, to the second.
pub fn second() -> DateTime<Utc> {
    #[cfg(target_os = "linux")]
    let now = DateTime::from_timestamp(clock_gettime(ClockId::RealtimeCoarse).tv_sec, 0).unwrap_or_default();
    #[cfg(not(target_os = "linux"))]
    let now = now();
    now
}

/// The time since some moment before the process began, which never goes back.
pub fn monotonic() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = ClockId::MonotonicCoarse;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarse_clocks_go_as_the_fine_one_does() {
        let (coarse, start) = (second(), monotonic());
        let late = now().signed_duration_since(coarse).num_seconds();
        assert!((0..60).contains(&late), "{late} s");
        assert!(monotonic() >= start && start > Duration::ZERO);
    }
}
