//! What the commands write: what was requested to standard output, all else to standard error.

use std::io::{IsTerminal as _, Write as _};

use crate::domain::value::text::one_line;
use crate::kubectl::error::Error;
use crate::kubectl::output::table::{Tone, paint};

/// What standard output can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// It can show glyphs.
    pub glyphs: bool,
}

impl Terminal {
    /// As standard output is.
    pub fn of_stdout() -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(|name| std::env::var(name).unwrap_or_default());
        Self { glyphs: std::io::stdout().is_terminal() && is_utf8(&locale) }
    }
}

/// Whether the first locale that is set, as POSIX orders them, is one of UTF-8.
fn is_utf8(locales: &[String]) -> bool {
    let set = locales.iter().find(|locale| !locale.is_empty());
    set.is_some_and(|locale| {
        let locale = locale.to_ascii_uppercase();
        locale.contains("UTF-8") || locale.contains("UTF8")
    })
}

/// Shows what was requested.
pub fn show(text: &str) -> Result<(), Error> {
    let mut out = anstream::stdout();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Shows a remark beside it.
pub fn note(text: &str) {
    anstream::eprintln!("{text}");
}

/// Shows why a command failed.
pub fn error(error: &Error) {
    note(&format!("{} {}", paint(Tone::Bad, "error:"), one_line(&error.to_string())));
}

/// Shows a warning.
pub fn warn(text: &str) {
    anstream::eprintln!("{} {}", paint(Tone::Warn, "Warning:"), one_line(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_locale_that_is_set_says_whether_glyphs_can_be_shown() {
        for (locales, glyphs) in [
            (["", "", "de_DE.UTF-8"], true),
            (["", "en_US.utf8", ""], true),
            (["C", "", "en_US.UTF-8"], false),
            (["", "", ""], false),
        ] {
            assert_eq!(is_utf8(&locales.map(String::from)), glyphs, "{locales:?}");
        }
    }
}
