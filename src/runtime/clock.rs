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

/// Now, in whole seconds since 1970.
pub fn second() -> i64 {
    #[cfg(target_os = "linux")]
    let clock = ClockId::RealtimeCoarse;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Realtime;
    clock_gettime(clock).tv_sec
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
        let late = now().timestamp() - coarse;
        assert!((0..60).contains(&late), "{late} s");
        assert!(monotonic() >= start && start > Duration::ZERO);
    }
}
