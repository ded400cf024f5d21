//! When to tell that a token is about to expire and nothing renews it: 30, 7 and 1 days ahead.

use chrono::{DateTime, Utc};

use crate::api::access_key::{ExpiryNotice, TokenStatus};
use crate::domain::value::period::Period;

/// Every notice, the earliest first.
pub const NOTICES: [(ExpiryNotice, u32); 3] =
    [(ExpiryNotice::P30D, 30), (ExpiryNotice::P7D, 7), (ExpiryNotice::P1D, 1)];

/// The last notice that is due for `token`. One whose time was over when the token was issued is none: a
/// token for three days is not told to expire within thirty.
pub fn due(token: &TokenStatus, now: DateTime<Utc>) -> Option<ExpiryNotice> {
    moments(token).filter(|(_, at)| *at <= now).map(|(notice, _)| notice).last()
}

/// When the next notice is due.
pub fn next(token: &TokenStatus, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    moments(token).map(|(_, at)| at).find(|at| *at > now)
}

/// The notice in words.
pub fn words(notice: ExpiryNotice) -> &'static str {
    match notice {
        ExpiryNotice::P30D => "30 days",
        ExpiryNotice::P7D => "7 days",
        ExpiryNotice::P1D => "1 day",
    }
}

fn moments(token: &TokenStatus) -> impl Iterator<Item = (ExpiryNotice, DateTime<Utc>)> + '_ {
    let moment = |(notice, days)| Some((notice, Period::days(days).before(token.expires_at)?));
    NOTICES.into_iter().filter_map(moment).filter(|(_, at)| *at > token.issued_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn token(issued_at: &str) -> TokenStatus {
        TokenStatus {
            id: "k1".into(),
            sha256: "hash".into(),
            revision: 1,
            issued_at: at(issued_at),
            expires_at: at("2027-03-31T12:00:00Z"),
        }
    }

    #[test]
    fn a_notice_is_due_30_7_and_1_days_before_expiry() {
        let token = token("2026-09-30T12:00:00Z");
        for (now, notice, following) in [
            ("2027-03-01T11:59:59Z", None, Some("2027-03-01T12:00:00Z")),
            ("2027-03-01T12:00:00Z", Some(ExpiryNotice::P30D), Some("2027-03-24T12:00:00Z")),
            ("2027-03-24T12:00:00Z", Some(ExpiryNotice::P7D), Some("2027-03-30T12:00:00Z")),
            ("2027-03-30T12:00:00Z", Some(ExpiryNotice::P1D), None),
        ] {
            assert_eq!((due(&token, at(now)), next(&token, at(now))), (notice, following.map(at)), "{now}");
        }
    }

    #[test]
    fn a_short_lived_token_is_only_told_of_what_lies_ahead_of_it() {
        let three_days = token("2027-03-28T12:00:00Z");
        assert_eq!(due(&three_days, at("2027-03-28T12:00:00Z")), None);
        assert_eq!(due(&three_days, at("2027-03-30T12:00:00Z")), Some(ExpiryNotice::P1D));
        assert_eq!(next(&token("2027-03-31T11:00:00Z"), at("2027-03-31T11:00:00Z")), None);
    }
}
