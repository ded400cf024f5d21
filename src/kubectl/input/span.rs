//! Spans of time as users type them.

use std::time::Duration;

use crate::domain::value::period::Period;

/// Reads a span as users type it: `30d`, `12h`, `1w3d`, `90m`, or ISO 8601 as in manifests.
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

/// A span in whole seconds that is longer than nothing.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let span = span(text)?;
    let start = chrono::DateTime::UNIX_EPOCH;
    let length = span.after(start).map(|end| end - start).and_then(|length| length.to_std().ok());
    length
        .filter(|length| !length.is_zero())
        .ok_or_else(|| format!("must be longer than nothing, not '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_span_is_read_as_users_type_it_and_as_manifests_have_it() {
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

    #[test]
    fn a_timeout_is_longer_than_nothing() {
        assert_eq!(seconds("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(seconds("1m"), Ok(Duration::from_mins(1)));
        assert_eq!(seconds("0s"), Err("must be longer than nothing, not '0s'".into()));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,20}") {
            let _ = span(&text);
        }
    }
}
