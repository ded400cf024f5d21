//! Times as kubectl shows them, and the spans that people type.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::value::period::Period;

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

/// When something was last used, where that is known: without a record since some time, never and unknown look the same.
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

/// Reads a span as people type it: `30d`, `12h`, `1w3d`, `90m`, or ISO 8601 as in manifests.
///
/// # Errors
/// Where it is neither, what was given and what is allowed.
pub fn span(text: &str) -> Result<Period, String> {
    short(text)
        .and_then(|iso| Period::parse(&iso).ok())
        .or_else(|| Period::parse(text).ok())
        .ok_or_else(|| format!("must be a span of time such as 30d, 12h, 90m or P30D, not '{text}'"))
}

/// The ISO 8601 form of `1w2d3h4m5s`, where `text` is of that form.
fn short(text: &str) -> Option<String> {
    let (mut date, mut time, mut digits) = (String::new(), String::from("T"), String::new());
    for character in text.chars() {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        let part = match character {
            'w' | 'd' => &mut date,
            'h' | 'm' | 's' => &mut time,
            _ => return None,
        };
        part.push_str(&std::mem::take(&mut digits));
        part.push(character.to_ascii_uppercase());
    }
    let time = if time == "T" { "" } else { &time };
    digits.is_empty().then(|| format!("P{date}{time}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    #[test]
    fn a_span_is_read_as_people_type_it_and_as_manifests_have_it() {
        for (typed, period) in [
            ("30d", "P30D"),
            ("12h", "PT12H"),
            ("90m", "PT1H30M"),
            ("45s", "PT45S"),
            ("1w3d", "P10D"),
            ("1d12h", "P1DT12H"),
            ("P30D", "P30D"),
            ("P6M", "P6M"),
        ] {
            assert_eq!(span(typed).unwrap().to_string(), period, "{typed}");
        }
    }

    #[test]
    fn another_span_is_refused_with_what_was_given_and_what_is_allowed() {
        for text in ["", "d", "30", "30 days", "-1d", "3y", "P", "1.5h"] {
            assert_eq!(
                span(text).unwrap_err(),
                format!("must be a span of time such as 30d, 12h, 90m or P30D, not '{text}'")
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,20}") {
            let _ = span(&text);
        }
    }
}
