//! Times as the API server takes them: RFC 3339, and a little more.

/// Whether the API server takes it for a time. It does not look at the offset's size; the controller does.
pub(super) fn is_date_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut parts = lower.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    is_date(date) && is_time(time)
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
        && text.chars().zip(form.chars()).all(|(given, wanted)| {
            if wanted == '0' { given.is_ascii_digit() } else { given == wanted }
        })
}

#[cfg(test)]
mod tests {
    use super::is_date_time;

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
