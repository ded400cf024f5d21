//! The one place that reads the time. What is read for each request comes from the kernel's coarse clocks:
//! they are read in a small part of the time, and are 10 milliseconds late at the most. What is measured
//! comes from the fine one.
//!
//! A process makes one [`Clock`] at its top and hands it down, so that all of it can run on a time set by
//! hand. The free functions read the system's clock and are for the top alone.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};

/// Where a process reads the time.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The clock of the system.
    #[default]
    System,
    /// A clock that only goes when it is told to.
    Manual(Arc<ManualClock>),
}

impl Clock {
    /// Now, with its fraction of a second.
    #[inline]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::System => now(),
            Self::Manual(clock) => clock.0.lock().0,
        }
    }

    /// Now, in whole seconds since 1970.
    #[inline]
    pub fn second(&self) -> i64 {
        match self {
            Self::System => second(),
            Self::Manual(clock) => clock.0.lock().0.timestamp(),
        }
    }

    /// The time since some moment before the process began, which never goes back.
    #[inline]
    pub fn monotonic(&self) -> Duration {
        match self {
            Self::System => monotonic(),
            Self::Manual(clock) => clock.0.lock().1,
        }
    }

    /// The same to the nanosecond, to measure how long something took.
    pub fn precise(&self) -> Duration {
        match self {
            Self::System => precise(),
            Self::Manual(clock) => clock.0.lock().1,
        }
    }
}

/// A time set by hand: what the calendar says, and what has passed.
#[derive(Debug)]
pub struct ManualClock(Mutex<(DateTime<Utc>, Duration)>);

impl ManualClock {
    /// A clock that says `now`.
    pub fn new(now: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self(Mutex::new((now, Duration::from_secs(1)))))
    }

    /// Lets `time` pass. The calendar stays at its end where `time` would go past it.
    pub fn advance(&self, time: Duration) {
        let mut clock = self.0.lock();
        let later = TimeDelta::from_std(time).ok().and_then(|time| clock.0.checked_add_signed(time));
        *clock = (later.unwrap_or(DateTime::<Utc>::MAX_UTC), clock.1.saturating_add(time));
    }
}

/// Now, with its fraction of a second.
#[allow(clippy::disallowed_methods, reason = "this is where decisions get their time from")]
#[inline]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Now, in whole seconds since 1970.
#[inline]
pub fn second() -> i64 {
    #[cfg(target_os = "linux")]
    let clock = ClockId::RealtimeCoarse;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Realtime;
    clock_gettime(clock).tv_sec
}

/// The time since some moment before the process began, which never goes back.
#[inline]
pub fn monotonic() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = ClockId::MonotonicCoarse;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// The time since the same moment, to the nanosecond.
pub fn precise() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default()
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
        let late = precise().checked_sub(start).unwrap();
        assert!(late < Duration::from_mins(1), "{late:?}");
    }

    #[test]
    fn a_manual_clock_goes_only_when_it_is_told_to() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let manual = ManualClock::new(start);
        let clock = Clock::Manual(Arc::clone(&manual));
        let before = clock.monotonic();
        assert_eq!((clock.now(), clock.second()), (start, 1_800_000_000));
        manual.advance(Duration::from_millis(1_500));
        assert_eq!(clock.now(), start + TimeDelta::milliseconds(1_500));
        assert_eq!(clock.second(), 1_800_000_001);
        assert_eq!(clock.monotonic().checked_sub(before), Some(Duration::from_millis(1_500)));
        assert_eq!(clock.precise().checked_sub(before), Some(Duration::from_millis(1_500)));
        manual.advance(Duration::MAX);
        assert_eq!(clock.now(), DateTime::<Utc>::MAX_UTC, "the end of the calendar, not a panic");
    }
}
