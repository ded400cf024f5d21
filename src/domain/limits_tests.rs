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
    let outside = "It is outside the account's limits: a token must be valid for P6M to P2Y from its issue";
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
