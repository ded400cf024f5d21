//! What the API server warns of, shown as kubectl shows it: at once, and each only once.

use std::collections::HashSet;
use std::sync::Mutex;

use http::{HeaderMap, header};

use crate::kubectl::output::screen;

/// The warnings that were shown already.
#[derive(Debug, Default)]
pub struct Warnings(Mutex<HashSet<String>>);

impl Warnings {
    /// Shows those of an answer that are new.
    pub fn show(&self, headers: &HeaderMap) {
        for text in texts(headers) {
            let mut shown = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if shown.insert(text.clone()) {
                screen::warn(&text);
            }
        }
    }
}

/// The texts of the `Warning` headers (RFC 7234, section 5.5), as the API server sends one for each warning.
fn texts(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::WARNING).iter();
    values.filter_map(|value| text(&String::from_utf8_lossy(value.as_bytes()))).collect()
}

/// The text of `299 - "text"`; `None` where it has another form.
fn text(header: &str) -> Option<String> {
    let (_, rest) = header.split_once('"')?;
    let mut text = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return Some(text),
            '\\' => text.push(characters.next()?),
            character => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn each_header_holds_one_text_in_quotes() {
        let mut headers = HeaderMap::new();
        for value in [
            r#"299 - "Validation failed: ServiceAccount.iam.keyward.dev \"ci\" is still used: a, b""#,
            r#"299 - "über \\ all" "Mon, 23 Nov 2026 00:00:00 GMT""#,
            "299 - no quotes",
            r#"299 - "never closed"#,
        ] {
            headers.append(header::WARNING, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        assert_eq!(
            texts(&headers),
            ["Validation failed: ServiceAccount.iam.keyward.dev \"ci\" is still used: a, b", "über \\ all"]
        );
    }
}
