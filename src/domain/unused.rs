//! Access keys that nobody uses: first warned about, then switched off, as the account's policy asks. Where it is not known
//! whether a key is used, nothing is held against it.

use chrono::{DateTime, Utc};

use crate::api::account::UnusedAccessKeysSpec;
use crate::domain::validity::Period;

/// An account's policy about unused keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a key may be unused before a warning.
    pub warn_after: Period,
    /// How long before it is switched off; `None` only warns.
    pub deactivate_after: Option<Period>,
}

/// How it stands with the use of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No policy concerns it, or nobody records its use.
    Unwatched,
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

impl Policy {
    /// The policy that an account asks for. A duration that does not parse makes it none: nothing is switched off for it.
    pub fn from_spec(spec: Option<&UnusedAccessKeysSpec>) -> Option<Self> {
        let spec = spec?;
        let warn_after = Period::parse(&spec.warn_after.0).ok()?;
        let deactivate_after =
            spec.deactivate_after.as_ref().map(|text| Period::parse(&text.0)).transpose().ok()?;
        Some(Self { warn_after, deactivate_after })
    }

    /// What is wrong with it, as a sentence.
    pub fn problem(&self, now: DateTime<Utc>) -> Option<String> {
        let Self { warn_after, deactivate_after } = self;
        let off = (*deactivate_after)?;
        (off.after(now) <= warn_after.after(now)).then(|| {
            format!(
                "spec.unusedAccessKeys.deactivateAfter is {off} and spec.unusedAccessKeys.warnAfter is {warn_after}; \
                 the warning must come first, so no key is switched off"
            )
        })
    }

    /// The policy as a sentence goes on with it.
    pub fn words(&self) -> String {
        let Self { warn_after, deactivate_after } = self;
        let off = deactivate_after.map_or_else(String::new, |off| format!(" and switched off after {off}"));
        format!("; unused keys are warned about after {warn_after}{off}")
    }
}

/// How it stands at `now` with a key whose time counts from `since` (`None`: unknown), and that was warned about at
/// `warned_at`. Between a warning and the end lies at least the time between both in the policy, also where the policy is
/// newer than the time that has passed.
pub fn standing(
    policy: Option<&Policy>,
    since: Option<DateTime<Utc>>,
    warned_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Standing {
    let (Some(policy), Some(since)) = (policy, since) else { return Standing::Unwatched };
    let Some(warn_at) = policy.warn_after.after(since) else { return Standing::Unwatched };
    if now < warn_at {
        return Standing::InUse { until: warn_at };
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
        Some(off_at) if off_at <= now => Standing::Off { since, warned_at: at },
        off_at => Standing::Warned { since, at, off_at },
    }
}

#[cfg(test)]
#[path = "unused_tests.rs"]
mod tests;
