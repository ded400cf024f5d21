//! Times as kubectl shows them.

use chrono::{DateTime, TimeDelta, Utc};

/// A length of time as kubectl's AGE columns show it: in one unit or two, coarser as it grows.
pub fn length(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, unit: &str, small: i64, below: &str| match small {
        0 => format!("{large}{unit}"),
        small => format!("{large}{unit}{small}{below}"),
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, "d", hours % 24, "h"),
        () if days < 2 * 365 => format!("{days}d"),
        () if days < 8 * 365 => two(days / 365, "y", days % 365, "d"),
        () => format!("{}y", days / 365),
    }
}

/// How long ago `at` was.
pub fn age(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    length(now - at)
}

/// How far `at` lies ahead or behind, as a sentence goes on with it.
pub fn away(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    if at > now { format!("in {}", length(at - now)) } else { format!("{} ago", age(at, now)) }
}

/// When something was last used, where that is known: without a record since some time, never and unknown
/// look the same.
pub fn last_use(
    used: Option<DateTime<Utc>>,
    recorded_since: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> String {
    match (used, recorded_since) {
        (Some(used), _) => age(used, now),
        (None, Some(_)) => "never".into(),
        (None, None) => "unknown".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_age_is_shown_as_kubectl_shows_it() {
        for (seconds, shown) in [
            (-5, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (599, "9m59s"),
            (600, "10m"),
            (3 * 3600 - 1, "179m"),
            (3 * 3600, "3h"),
            (3 * 3600 + 60, "3h1m"),
            (8 * 3600, "8h"),
            (48 * 3600 - 1, "47h"),
            (48 * 3600, "2d"),
            (3 * 86_400 + 7200, "3d2h"),
            (8 * 86_400, "8d"),
            (729 * 86_400, "729d"),
            (730 * 86_400, "2y"),
            (1100 * 86_400, "3y5d"),
            (9 * 365 * 86_400, "9y"),
        ] {
            assert_eq!(length(TimeDelta::seconds(seconds)), shown, "{seconds}");
        }
    }

    #[test]
    fn a_moment_lies_ahead_or_behind() {
        let now = at("2026-11-23T12:00:00Z");
        assert_eq!(away(at("2026-11-28T12:00:00Z"), now), "in 5d");
        assert_eq!(away(at("2026-11-23T11:59:00Z"), now), "60s ago");
    }

    #[test]
    fn never_used_is_told_from_not_known() {
        let now = at("2026-11-23T12:00:00Z");
        let before = Some(at("2026-11-23T11:00:00Z"));
        assert_eq!(last_use(before, None, now), "60m");
        assert_eq!(last_use(None, before, now), "never");
        assert_eq!(last_use(None, None, now), "unknown");
    }
}
