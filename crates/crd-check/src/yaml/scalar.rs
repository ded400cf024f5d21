//! What a plain scalar means. kubectl reads YAML 1.1 with the library go-yaml, so `yes` is a boolean, `017`
//! is fifteen and a date is a text; whoever reads a manifest otherwise checks another object than the API
//! server gets.

use crate::node::Value;

/// The words for a truth value, each also with a capital letter in front and in capitals.
const TRUE: [&str; 4] = ["y", "yes", "true", "on"];
const FALSE: [&str; 4] = ["n", "no", "false", "off"];

/// A plain scalar without a tag. The error says why it has no place in JSON.
pub(super) fn plain(text: &str) -> Result<Value, String> {
    if text.is_empty() || text == "~" || is_word(text, "null") {
        return Ok(Value::Null);
    }
    if TRUE.iter().any(|word| is_word(text, word)) {
        return Ok(Value::Bool(true));
    }
    if FALSE.iter().any(|word| is_word(text, word)) {
        return Ok(Value::Bool(false));
    }
    if is_endless(text) {
        return Err(format!(
            "`{text}` is a number that no object can hold; put it in quotes if it is meant as a text"
        ));
    }
    Ok(number(text).unwrap_or_else(|| Value::Text(text.to_owned())))
}

/// The word in small letters, in capitals, or with a capital in front.
fn is_word(text: &str, word: &str) -> bool {
    let capital = |(at, letter): (usize, char)| if at == 0 { letter.to_ascii_uppercase() } else { letter };
    text == word
        || text.chars().eq(word.chars().map(|letter| letter.to_ascii_uppercase()))
        || text.chars().eq(word.chars().enumerate().map(capital))
}

/// An infinity, or not a number.
fn is_endless(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let signed = unsigned.len() < text.len();
    [".inf", ".Inf", ".INF"].contains(&unsigned) || (!signed && [".nan", ".NaN", ".NAN"].contains(&unsigned))
}

/// The number that a text is; a date is none.
fn number(text: &str) -> Option<Value> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || ['+', '-', '.'].contains(&first)) {
        return None;
    }
    // Only where a number can begin with them are underscores passed over.
    let digits = if text.starts_with('.') { text.to_owned() } else { text.replace('_', "") };
    integer(&digits).or_else(|| float(&digits))
}

/// Whole numbers: decimal, `0x…`, `0o…`, `0b…`, and octal after a mere 0.
fn integer(text: &str) -> Option<Value> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let prefix = unsigned.get(..2).unwrap_or_default().to_ascii_lowercase();
    let (radix, digits) = match prefix.as_str() {
        "0x" => (16, unsigned.get(2..)?),
        "0b" => (2, unsigned.get(2..)?),
        "0o" => (8, unsigned.get(2..)?),
        _ if unsigned.len() > 1 && unsigned.starts_with('0') => (8, unsigned.get(1..)?),
        _ => (10, unsigned),
    };
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let size = i128::from_str_radix(digits, radix).ok().filter(|size| *size <= i128::from(u64::MAX))?;
    let number = if negative { -size } else { size };
    match i64::try_from(number) {
        Ok(number) => Some(Value::Int(number)),
        // Beyond what a signed one holds, the API server goes on with a float.
        Err(_) if negative => None,
        #[allow(clippy::cast_precision_loss, reason = "the API server loses as much")]
        Err(_) => Some(Value::Float(number as f64)),
    }
}

fn float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.chars().all(|digit| digit.is_ascii_digit());
    let is_float = are_digits(whole)
        && are_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !digits.is_empty() && are_digits(digits)
        });
    if !is_float {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(of_float)
}

/// A float as it reaches the API server: JSON does not tell `1.0` from `1`.
fn of_float(number: f64) -> Value {
    /// 2 to the power of 63.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    #[allow(clippy::cast_possible_truncation, reason = "it has no fraction and is small enough")]
    if number.fract() == 0.0 && number.abs() < BEYOND {
        Value::Int(number as i64)
    } else {
        Value::Float(number)
    }
}

/// A key as the text that it becomes.
pub(super) fn key(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn a_plain_scalar_means_what_kubectl_takes_it_for() {
        for (given, value) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("Null", Value::Null),
            ("nULL", text("nULL")),
            ("yes", Value::Bool(true)),
            ("Y", Value::Bool(true)),
            ("ON", Value::Bool(true)),
            ("oN", text("oN")),
            ("no", Value::Bool(false)),
            ("off", Value::Bool(false)),
            ("P6M", text("P6M")),
            ("7", Value::Int(7)),
            ("-7", Value::Int(-7)),
            ("+7", Value::Int(7)),
            ("1_000", Value::Int(1000)),
            ("017", Value::Int(15)),
            ("08", Value::Int(8)),
            ("0x1F", Value::Int(31)),
            ("0b11", Value::Int(3)),
            ("-0b11", Value::Int(-3)),
            ("0o17", Value::Int(15)),
            ("1.0", Value::Int(1)),
            ("1.5", Value::Float(1.5)),
            (".5", Value::Float(0.5)),
            ("5.", Value::Int(5)),
            ("1e3", Value::Int(1000)),
            ("1e999", text("1e999")),
            ("1e", text("1e")),
            (".", text(".")),
            ("-", text("-")),
            ("9223372036854775807", Value::Int(i64::MAX)),
            ("9223372036854775808", Value::Float(9_223_372_036_854_775_808.0)),
            ("2027-05-31", text("2027-05-31")),
            ("2027-05-31T00:00:00Z", text("2027-05-31T00:00:00Z")),
            ("1.2.3", text("1.2.3")),
            ("0x", text("0x")),
            ("<<", text("<<")),
        ] {
            assert_eq!(plain(given), Ok(value), "{given}");
        }
        assert_eq!(
            plain(".inf").unwrap_err(),
            "`.inf` is a number that no object can hold; put it in quotes if it is meant as a text"
        );
    }

    proptest! {
        #[test]
        fn whole_numbers_are_read_as_they_are_written(number in any::<i64>()) {
            prop_assert_eq!(plain(&number.to_string()), Ok(Value::Int(number)));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,12}") {
            let _ = plain(&text);
        }
    }
}
