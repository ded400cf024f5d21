//! The limits of an account: the built-in values, and what its `spec.limits` sets over them.

use chrono::{DateTime, Utc};

use crate::api::account::LimitsSpec;
use crate::domain::validity::Period;

/// Limits in force for one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Service accounts in the account.
    pub service_accounts: usize,
    /// Access keys of each service account.
    pub access_keys: usize,
    /// Shortest validity of a token.
    pub min_valid_for: Period,
    /// Longest validity of a token.
    pub max_valid_for: Period,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            service_accounts: 25,
            access_keys: 50,
            min_valid_for: Period::months(6),
            max_valid_for: Period::months(24),
        }
    }
}

impl Limits {
    /// The built-in limits with what `spec` sets over them. A duration that does not parse keeps the built-in one.
    pub fn from_spec(spec: Option<&LimitsSpec>) -> Self {
        let built_in = Self::default();
        let Some(LimitsSpec {
            service_accounts,
            access_keys_per_service_account,
            min_valid_for,
            max_valid_for,
        }) = spec
        else {
            return built_in;
        };
        let count =
            |given: &Option<i32>, default| given.and_then(|n| usize::try_from(n).ok()).unwrap_or(default);
        let period = |given: &Option<crate::api::shared::IsoDuration>, default| {
            given.as_ref().and_then(|text| Period::parse(&text.0).ok()).unwrap_or(default)
        };
        Self {
            service_accounts: count(service_accounts, built_in.service_accounts),
            access_keys: count(access_keys_per_service_account, built_in.access_keys),
            min_valid_for: period(min_valid_for, built_in.min_valid_for),
            max_valid_for: period(max_valid_for, built_in.max_valid_for),
        }
    }

    /// What is wrong with the limits themselves, as a sentence.
    pub fn problem(&self, now: DateTime<Utc>) -> Option<String> {
        (self.min_valid_for.after(now) > self.max_valid_for.after(now)).then(|| {
            format!(
                "spec.limits.minValidFor is {} and spec.limits.maxValidFor is {}; the shortest validity must not be \
                 longer than the longest, so no key can be issued",
                self.min_valid_for, self.max_valid_for
            )
        })
    }

    /// Whether a token may run from `issued_at` to `expires_at`; both bounds are allowed.
    ///
    /// # Errors
    /// A sentence about what was asked for (`given`) and what is allowed.
    pub fn check_expiry(
        &self,
        given: &str,
        issued_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), String> {
        let Self { min_valid_for, max_valid_for, .. } = self;
        let (Some(earliest), Some(latest)) = (min_valid_for.after(issued_at), max_valid_for.after(issued_at))
        else {
            return Err("the account's limits reach beyond the end of the calendar".into());
        };
        if (earliest..=latest).contains(&expires_at) {
            return Ok(());
        }
        // No moment that moves with the clock, so that the same refusal reads the same tomorrow.
        let past = if expires_at <= issued_at { "in the past, and " } else { "" };
        Err(format!(
            "{given} is {past}outside the account's limits: a token must be valid for {min_valid_for} to {max_valid_for} \
             from its issue"
        ))
    }
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
