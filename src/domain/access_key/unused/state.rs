//! Whether an access key counts as unused, and since when. Where it is not known whether a key is used,
//! nothing is held against it.

use chrono::{DateTime, Utc};

use crate::domain::account::unused::UnusedPolicy;

/// Whether a key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnusedState {
    /// No policy concerns it, or nobody records its use.
    NotCounted,
    /// Used recently enough, until then.
    InUse {
        /// When the warning is due.
        until: DateTime<Utc>,
    },
    /// Unused for so long that a warning is due.
    Warned {
        /// When the time began to count.
        since: DateTime<Utc>,
        /// When the warning was given.
        at: DateTime<Utc>,
        /// When it is switched off, if it is.
        off_at: Option<DateTime<Utc>>,
    },
    /// Switched off.
    Off {
        /// When the time began to count.
        since: DateTime<Utc>,
        /// When the warning was given.
        warned_at: DateTime<Utc>,
    },
}

/// Whether a key is used at `now`, whose time counts from `since` (`None`: unknown), and that was warned
/// about at `warned_at`. Between a warning and the end lies at least the time between both in the policy,
/// also where the policy is newer than the time that has passed.
pub fn state(
    policy: Option<&UnusedPolicy>,
    since: Option<DateTime<Utc>>,
    warned_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> UnusedState {
    let (Some(policy), Some(since)) = (policy, since) else { return UnusedState::NotCounted };
    let Some(warn_at) = policy.warn_after.after(since) else { return UnusedState::NotCounted };
    if now < warn_at {
        return UnusedState::InUse { until: warn_at };
    }
    // An older warning was about another time without use.
    let at = warned_at.filter(|at| (warn_at..=now).contains(at)).unwrap_or(now);
    let off_at = policy.deactivate_after.and_then(|after| {
        let full = after.after(since)?;
        let notice = full - warn_at;
        (notice > chrono::TimeDelta::zero())
            .then(|| at.checked_add_signed(notice).map(|then| full.max(then)))?
    });
    match off_at {
        Some(off_at) if off_at <= now => UnusedState::Off { since, warned_at: at },
        off_at => UnusedState::Warned { since, at, off_at },
    }
}

#[cfg(test)]
mod tests {
    //! Tests of keys that nobody uses.

    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::api::account::UnusedAccessKeysSpec;
    use crate::domain::value::period::Period;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn policy(warn: u32, off: Option<u32>) -> UnusedPolicy {
        UnusedPolicy { warn_after: Period::days(warn), deactivate_after: off.map(Period::days) }
    }

    #[test]
    fn a_key_is_warned_about_first_and_switched_off_later() {
        let day = |day: u32| at(&format!("2027-03-{day:02}T12:00:00Z"));
        let off_at = Some(day(15));
        let table = [
            ("used a moment ago", Some(day(1)), None, day(1), UnusedState::InUse { until: day(11) }),
            (
                "a second before the warning",
                Some(day(1)),
                None,
                day(11) - TimeDelta::seconds(1),
                UnusedState::InUse { until: day(11) },
            ),
            (
                "at the warning",
                Some(day(1)),
                None,
                day(11),
                UnusedState::Warned { since: day(1), at: day(11), off_at },
            ),
            (
                "after the warning",
                Some(day(1)),
                Some(day(11)),
                day(14),
                UnusedState::Warned { since: day(1), at: day(11), off_at },
            ),
            (
                "at the end",
                Some(day(1)),
                Some(day(11)),
                day(15),
                UnusedState::Off { since: day(1), warned_at: day(11) },
            ),
            (
                "used after the warning",
                Some(day(12)),
                Some(day(11)),
                day(15),
                UnusedState::InUse { until: day(22) },
            ),
            (
                "long unused when the policy came",
                Some(day(1)),
                None,
                day(25),
                UnusedState::Warned { since: day(1), at: day(25), off_at: Some(day(29)) },
            ),
            (
                "warned about an earlier time without use",
                Some(day(10)),
                Some(day(11)),
                day(20),
                UnusedState::Warned { since: day(10), at: day(20), off_at: Some(day(24)) },
            ),
            ("use unknown", None, Some(day(1)), day(30), UnusedState::NotCounted),
        ];
        for (what, since, warned_at, now, expected) in table {
            assert_eq!(state(Some(&policy(10, Some(14))), since, warned_at, now), expected, "{what}");
        }
        assert_eq!(state(None, Some(day(1)), None, day(30)), UnusedState::NotCounted);
        let only_warned = UnusedState::Warned { since: day(1), at: day(11), off_at: None };
        assert_eq!(state(Some(&policy(10, None)), Some(day(1)), Some(day(11)), day(30)), only_warned);
    }

    #[test]
    fn a_policy_that_contradicts_itself_switches_nothing_off() {
        let now = at("2027-03-30T12:00:00Z");
        let wrong = policy(10, Some(10));
        assert_eq!(
            wrong.problem(now).unwrap(),
            "spec.unusedAccessKeys.deactivateAfter is P10D and spec.unusedAccessKeys.warnAfter is P10D; the warning must come \
         first, so no key is switched off"
        );
        let since = at("2027-03-01T12:00:00Z");
        assert!(matches!(
            state(Some(&wrong), Some(since), None, now),
            UnusedState::Warned { off_at: None, .. }
        ));
        assert_eq!(policy(10, Some(11)).problem(now), None);
        let spec = |warn: &str, off: Option<&str>| {
            let text = |text: &str| crate::api::shared::IsoDuration(text.into());
            UnusedPolicy::from_spec(Some(&UnusedAccessKeysSpec {
                warn_after: text(warn),
                deactivate_after: off.map(text),
            }))
        };
        assert_eq!(spec("P10D", Some("P14D")), Some(policy(10, Some(14))));
        assert_eq!((spec("ten days", None), spec("P10D", Some("soon"))), (None, None));
        assert_eq!(UnusedPolicy::from_spec(None), None);
    }

    proptest! {
        #[test]
        fn nothing_is_switched_off_unwarned_or_within_its_time(
            warn in 1u32..400, more in 1u32..400, used in 0i64..800, looks in prop::collection::vec(0i64..100, 1..30),
            known in any::<bool>(),
        ) {
            let policy = policy(warn, Some(warn + more));
            let start = at("2027-01-01T00:00:00Z");
            let since = start + TimeDelta::days(used);
            let mut now = start;
            let mut warned_at = None;
            let mut first_warned = None;
            for days in looks {
                now += TimeDelta::days(days);
                // What is known at that time.
                let since_now = if now >= since { since } else { start };
                match state(Some(&policy), known.then_some(since_now), warned_at, now) {
                    UnusedState::NotCounted => prop_assert!(!known),
                    UnusedState::InUse { until } => {
                        prop_assert!(until > now);
                        (warned_at, first_warned) = (None, None);
                    }
                    UnusedState::Warned { at, .. } => {
                        prop_assert!(now - since_now >= TimeDelta::days(warn.into()));
                        first_warned = first_warned.or(Some(at)).map(|first| first.max(at));
                        warned_at = Some(at);
                    }
                    UnusedState::Off { .. } => {
                        prop_assert!(now - since_now >= TimeDelta::days((warn + more).into()));
                        let notice = first_warned.map(|first| now - first);
                        prop_assert!(notice >= Some(TimeDelta::days(more.into())), "{:?}", notice);
                    }
                }
            }
        }
    }
}
