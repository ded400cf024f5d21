//! The limits of an account: the built-in values, and what its `spec.limits` sets over them.

use chrono::{DateTime, Utc};

use crate::api::account::LimitsSpec;
use crate::domain::value::period::Period;

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
    /// The built-in limits with what `spec` sets over them. A duration that does not parse keeps the built-in
    /// one.
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
mod tests {
    //! Which limits are in force, what is wrong with them, and which validity they allow.

    use super::*;
    use crate::api::shared::IsoDuration;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn spec(min: Option<&str>, max: Option<&str>) -> LimitsSpec {
        LimitsSpec {
            service_accounts: None,
            access_keys_per_service_account: None,
            min_valid_for: min.map(|text| IsoDuration(text.into())),
            max_valid_for: max.map(|text| IsoDuration(text.into())),
        }
    }

    #[test]
    fn the_built_in_limits_hold_where_nothing_is_set() {
        let built_in = Limits {
            service_accounts: 25,
            access_keys: 50,
            min_valid_for: Period::months(6),
            max_valid_for: Period::months(24),
        };
        assert_eq!(Limits::from_spec(None), built_in);
        assert_eq!(Limits::from_spec(Some(&spec(None, None))), built_in);
    }

    #[test]
    fn each_limit_is_set_by_itself() {
        let given = LimitsSpec {
            service_accounts: Some(3),
            access_keys_per_service_account: Some(0),
            ..spec(Some("P30D"), None)
        };
        let limits = Limits {
            service_accounts: 3,
            access_keys: 0,
            min_valid_for: Period::days(30),
            max_valid_for: Period::months(24),
        };
        assert_eq!(Limits::from_spec(Some(&given)), limits);
    }

    #[test]
    fn a_value_that_says_nothing_keeps_the_built_in_one() {
        let given = LimitsSpec {
            service_accounts: Some(-1),
            access_keys_per_service_account: Some(-50),
            ..spec(Some("half a year"), Some(""))
        };
        assert_eq!(Limits::from_spec(Some(&given)), Limits::default());
    }

    #[test]
    fn limits_that_contradict_each_other_are_a_problem() {
        let now = at("2026-08-31T12:00:00Z");
        for (min, max, message) in [
            ("P6M", "P2Y", None),
            ("P1Y", "P12M", None),
            ("P0D", "P0D", None),
            (
                "P6M",
                "P180D",
                Some(
                    "spec.limits.minValidFor is P6M and spec.limits.maxValidFor is P180D; the shortest validity must not be \
                 longer than the longest, so no key can be issued",
                ),
            ),
            (
                "P3Y",
                "P2Y",
                Some(
                    "spec.limits.minValidFor is P3Y and spec.limits.maxValidFor is P2Y; the shortest validity must not be \
                 longer than the longest, so no key can be issued",
                ),
            ),
        ] {
            let limits = Limits::from_spec(Some(&spec(Some(min), Some(max))));
            assert_eq!(limits.problem(now).as_deref(), message, "{min} to {max}");
        }
    }

    #[test]
    fn both_ends_of_the_range_are_allowed_and_nothing_beyond() {
        let issued = at("2026-08-31T12:00:00Z");
        let outside =
            "It is outside the account's limits: a token must be valid for P6M to P2Y from its issue";
        let past = "It is in the past, and outside the account's limits: a token must be valid for P6M to P2Y from its issue";
        for (expires_at, wanted) in [
            ("2027-02-28T12:00:00Z", Ok(())),
            ("2028-08-31T12:00:00Z", Ok(())),
            ("2027-02-28T11:59:59Z", Err(outside.to_owned())),
            ("2028-08-31T12:00:01Z", Err(outside.to_owned())),
            ("2026-08-31T12:00:01Z", Err(outside.to_owned())),
            ("2026-08-31T12:00:00Z", Err(past.to_owned())),
            ("2020-01-01T00:00:00Z", Err(past.to_owned())),
        ] {
            let found = Limits::default().check_expiry("It", issued, at(expires_at));
            assert_eq!(found, wanted, "{expires_at}");
        }
    }

    #[test]
    fn a_range_beyond_the_calendar_allows_nothing() {
        let found = Limits::default().check_expiry("It", DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MAX_UTC);
        assert_eq!(found, Err("the account's limits reach beyond the end of the calendar".to_owned()));
    }
}
