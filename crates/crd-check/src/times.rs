//! Times as the API server takes them: RFC 3339, and a little more where it checks their form, and a little
//! less where it reads them for the CEL rules.

use chrono::{DateTime, SecondsFormat, Utc};

/// A time in the one form in which times can be compared as text: in UTC, in whole seconds. `None` where it
/// is no time.
pub(crate) fn in_utc(text: &str) -> Option<String> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Whether the API server takes it for a time. It does not look at the size of the offset here.
pub(crate) fn is_date_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut parts = lower.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    is_date(date) && is_time(time)
}

/// Whether it can read a text of that form, as Go does.
pub(crate) fn is_readable(text: &str) -> bool {
    let Some(rest) = text.get(19..) else { return false };
    let zone = rest.trim_start_matches(['.', ',']).trim_start_matches(|digit: char| digit.is_ascii_digit());
    let offset = |at: usize| zone.get(at..at + 2).unwrap_or_default();
    let is_fraction = rest.starts_with(['.', ',']) || rest == zone;
    text.get(10..11) == Some("T")
        && is_fraction
        && (zone == "Z" || (offset(1) <= "24" && offset(4) <= "59" && zone.len() == 6))
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// `hh:mm:ss`, perhaps a fraction, and `z` or an offset.
fn is_time(text: &str) -> bool {
    let Some((clock, rest)) = text.split_at_checked(8) else { return false };
    let fraction_and_zone = rest.strip_suffix('z').or_else(|| {
        let (before, offset) = rest.split_at_checked(rest.len().checked_sub(6)?)?;
        let signed = offset.strip_prefix(['+', '-'])?;
        has_form(signed, "00:00").then_some(before)
    });
    let Some(fraction) = fraction_and_zone else { return false };
    let is_fraction = fraction.is_empty() || {
        let mut characters = fraction.chars();
        let _any = characters.next();
        let digits = characters.as_str();
        !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit())
    };
    let part = |at: usize| clock.get(at..at + 2).unwrap_or_default();
    is_fraction && has_form(clock, "00:00:00") && part(0) <= "23" && part(3) <= "59" && part(6) <= "59"
}

/// Digits where the form has a 0, and else what it has.
fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text
            .chars()
            .zip(form.chars())
            .all(|(given, wanted)| if wanted == '0' { given.is_ascii_digit() } else { given == wanted })
}

#[cfg(test)]
mod tests {
    use super::{is_date_time, is_readable};

    #[test]
    fn not_all_that_has_the_form_of_a_time_can_be_read() {
        for (text, is_so) in [
            ("2027-05-31T00:00:00Z", true),
            ("2027-05-31t00:00:00Z", false),
            ("2027-05-31T00:00:00z", false),
            ("2027-05-31T00:00:00.5Z", true),
            ("2027-05-31T00:00:00,5Z", true),
            ("2027-05-31T00:00:00x5Z", false),
            ("2027-05-31T00:00:00.25+24:59", true),
            ("2027-05-31T00:00:00+25:00", false),
            ("2027-05-31T00:00:00-10:68", false),
        ] {
            assert!(is_date_time(text), "{text}");
            assert_eq!(is_readable(text), is_so, "{text}");
        }
    }

    #[test]
    fn a_time_is_what_the_api_server_takes_for_one() {
        for (text, is_time) in [
            ("2027-05-31T00:00:00Z", true),
            ("2027-05-31t00:00:00z", true),
            ("2027-05-31T00:00:00.5Z", true),
            ("2027-05-31T00:00:00+02:00", true),
            ("2027-05-31T00:00:00.123456789-02:00", true),
            ("2027-05-31T00:00:00+99:99", true),
            ("2027-05-31T23:59:60Z", false),
            ("2027-05-31T24:00:00Z", false),
            ("2027-02-29T00:00:00Z", false),
            ("2028-02-29T00:00:00Z", true),
            ("2027-05-31", false),
            ("2027-05-31 00:00:00Z", false),
            ("2027-05-31T00:00:00", false),
            ("2027-05-31T00:00Z", false),
            ("2027-5-31T00:00:00Z", false),
            ("tomorrow", false),
            ("", false),
        ] {
            assert_eq!(is_date_time(text), is_time, "{text}");
        }
    }
}
