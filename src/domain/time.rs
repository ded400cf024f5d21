//! Times: whole seconds, and the one place where Kubernetes' `Time` and ours meet.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use k8s_openapi::jiff::Timestamp;

/// `time` without its fraction of a second: Kubernetes stores whole seconds, so nothing finer may be compared.
pub fn whole_seconds(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(0)
}

/// RFC 3339 in UTC with whole seconds, as in `2027-05-23T00:00:00Z`.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
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
    DateTime::from_timestamp(time.0.as_second(), 0).unwrap_or_default()
}
