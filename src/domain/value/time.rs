//! Times: whole seconds, and the one place where Kubernetes' `Time` and ours meet.

use chrono::{DateTime, Datelike as _, SecondsFormat, SubsecRound, Timelike as _, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use k8s_openapi::jiff::Timestamp;

/// `time` without its fraction of a second: Kubernetes stores whole seconds, so nothing finer may be
/// compared.
pub fn whole_seconds(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(0)
}

/// RFC 3339 in UTC with whole seconds, as in `2027-05-23T00:00:00Z`.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    match u32::try_from(time.year()) {
        // Each answer that lets in has one: this takes a small part of the time of the general way.
        Ok(year @ 0..=9999) => {
            let mut text = *b"0000-00-00T00:00:00Z";
            for (number, at) in [
                (year / 100, 0),
                (year % 100, 2),
                (time.month(), 5),
                (time.day(), 8),
                (time.hour(), 11),
                (time.minute(), 14),
                (time.second(), 17),
            ] {
                for (place, digit) in text.iter_mut().skip(at).zip([number / 10, number % 10]) {
                    *place += u8::try_from(digit).unwrap_or_default();
                }
            }
            str::from_utf8(&text).unwrap_or_default().to_owned()
        }
        _ => time.to_rfc3339_opts(SecondsFormat::Secs, true),
    }
}

/// The time that is so many seconds after 1970 began. It reaches far beyond any year that a manifest can
/// hold.
pub fn at_second(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap_or_default()
}

/// Reads RFC 3339; `None` where it is something else.
pub fn parse_rfc3339(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc))
}

/// Our time as Kubernetes'. Both reach far beyond any year that a manifest can hold.
pub fn to_kube(time: DateTime<Utc>) -> Time {
    Time(Timestamp::from_second(time.timestamp()).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// Our time as Kubernetes', with its microseconds: for the time of an Event.
pub fn precise(time: DateTime<Utc>) -> MicroTime {
    MicroTime(Timestamp::from_microsecond(time.timestamp_micros()).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// Kubernetes' time as ours, in whole seconds.
pub fn from_kube(time: &Time) -> DateTime<Utc> {
    at_second(time.0.as_second())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> String {
        rfc3339(DateTime::from_timestamp(second, 0).unwrap())
    }

    #[test]
    fn times_are_written_in_utc_with_whole_seconds() {
        for (second, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_811_030_400, "2027-05-23T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (253_402_300_800, "+10000-01-01T00:00:00Z"),
        ] {
            assert_eq!(at(second), text);
        }
    }

    proptest! {
        #[test]
        fn every_time_is_written_as_chrono_writes_it(second in -99_999_999_999i64..999_999_999_999) {
            let time = DateTime::from_timestamp(second, 0).unwrap();
            prop_assert_eq!(rfc3339(time), time.to_rfc3339_opts(SecondsFormat::Secs, true));
        }
    }
}
