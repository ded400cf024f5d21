//! ISO 8601 durations with calendar months, as key lifetimes use them.

use std::fmt;

use chrono::{DateTime, Days, Months, TimeDelta, Utc};

/// A length of time: calendar months, then days, then seconds.
///
/// Months are calendar months: 31 August and six months is the last day of February.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    months: u32,
    days: u32,
    seconds: u32,
}

/// Why a text is no [`Period`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an ISO 8601 duration such as P6M, P1Y, P30D or PT1H, not '{given}'")]
pub struct ParseError {
    given: String,
}

impl Period {
    /// A period of whole calendar months.
    pub const fn months(months: u32) -> Self {
        Self { months, days: 0, seconds: 0 }
    }

    /// A period of whole days.
    pub const fn days(days: u32) -> Self {
        Self { months: 0, days, seconds: 0 }
    }

    /// Reads `P[nY][nM][nW][nD][T[nH][nM][nS]]` with at least one part.
    ///
    /// # Errors
    /// Where the text has another form, or a number too large to hold.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::read(text).ok_or_else(|| ParseError { given: text.to_owned() })
    }

    fn read(text: &str) -> Option<Self> {
        let body = text.strip_prefix('P')?;
        let (date, time) = match body.split_once('T') {
            Some((_, "")) => return None,
            Some((date, time)) => (date, time),
            None => (body, ""),
        };
        let [years, months, weeks, days] = parts(date, ['Y', 'M', 'W', 'D'])?;
        let [hours, minutes, seconds] = parts(time, ['H', 'M', 'S'])?;
        if body.is_empty() {
            return None;
        }
        Some(Self {
            months: years.checked_mul(12)?.checked_add(months)?,
            days: weeks.checked_mul(7)?.checked_add(days)?,
            seconds: hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(seconds)?,
        })
    }

    /// The moment this long after `start`; `None` beyond the end of the calendar.
    pub fn after(self, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        start
            .checked_add_months(Months::new(self.months))?
            .checked_add_days(Days::new(self.days.into()))?
            .checked_add_signed(TimeDelta::seconds(self.seconds.into()))
    }

    /// The moment this long before `end`; `None` beyond the start of the calendar.
    pub fn before(self, end: DateTime<Utc>) -> Option<DateTime<Utc>> {
        end.checked_sub_months(Months::new(self.months))?
            .checked_sub_days(Days::new(self.days.into()))?
            .checked_sub_signed(TimeDelta::seconds(self.seconds.into()))
    }
}

/// Reads numbers with their letters, each at most once and in order; a missing one is 0.
fn parts<const N: usize>(text: &str, letters: [char; N]) -> Option<[u32; N]> {
    let mut values = [0; N];
    let mut rest = text;
    for (value, letter) in values.iter_mut().zip(letters) {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at_checked(digits)?;
        if let Some(after) = after.strip_prefix(letter) {
            *value = number.parse().ok()?;
            rest = after;
        }
    }
    rest.is_empty().then_some(values)
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (years, months) = (self.months / 12, self.months % 12);
        let (hours, minutes, seconds) = (self.seconds / 3600, self.seconds / 60 % 60, self.seconds % 60);
        let part = |f: &mut fmt::Formatter<'_>, number: u32, letter: char| match number {
            0 => Ok(()),
            number => write!(f, "{number}{letter}"),
        };
        f.write_str("P")?;
        part(f, years, 'Y')?;
        part(f, months, 'M')?;
        part(f, self.days, 'D')?;
        if self.seconds > 0 {
            f.write_str("T")?;
        }
        part(f, hours, 'H')?;
        part(f, minutes, 'M')?;
        part(f, seconds, 'S')?;
        if *self == Self::default() { f.write_str("0D") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn months_are_calendar_months() {
        for (start, period, end) in [
            ("2026-08-31T12:00:00Z", "P6M", "2027-02-28T12:00:00Z"),
            ("2027-08-31T12:00:00Z", "P6M", "2028-02-29T12:00:00Z"),
            ("2026-11-23T00:00:00Z", "P2Y", "2028-11-23T00:00:00Z"),
            ("2028-02-29T00:00:00Z", "P1Y", "2029-02-28T00:00:00Z"),
            ("2026-01-31T00:00:00Z", "P1M1D", "2026-03-01T00:00:00Z"),
            ("2026-11-23T00:00:00Z", "P2W", "2026-12-07T00:00:00Z"),
            ("2026-11-23T00:00:00Z", "PT1H30M5S", "2026-11-23T01:30:05Z"),
        ] {
            assert_eq!(Period::parse(period).unwrap().after(at(start)), Some(at(end)), "{start} + {period}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_what_was_given() {
        for text in [
            "", "P", "PT", "P1", "6 months", "P6", "6M", "P-6M", "P1.5M", "P1M1Y", "P1D1D", "p6m", "P6M ",
            "PT1D", "P1H",
        ] {
            let error = Period::parse(text).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("must be an ISO 8601 duration such as P6M, P1Y, P30D or PT1H, not '{text}'")
            );
        }
        assert!(Period::parse("P99999999999Y").is_err(), "too large a number");
    }

    #[test]
    fn a_period_is_shown_as_it_is_written() {
        for text in ["P6M", "P2Y", "P1Y6M", "P30D", "PT20S", "P1DT1H", "P0D"] {
            assert_eq!(Period::parse(text).unwrap().to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(months in 0u32..9999, days in 0u32..9999, seconds in 0u32..999_999) {
            let period = Period { months, days, seconds };
            prop_assert_eq!(Period::parse(&period.to_string()), Ok(period));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
            let _ = Period::parse(&text);
        }
    }
}
