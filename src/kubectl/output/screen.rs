//! What the commands write and whom they ask: standard output for what was asked for, standard error for all else.

use std::io::{IsTerminal as _, Write as _};

use zeroize::Zeroizing;

use crate::domain::value::text::one_line;
use crate::kubectl::error::Error;
use crate::kubectl::output::table::{Tone, paint};

/// How much of a screen there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// It can show glyphs.
    pub glyphs: bool,
}

impl Look {
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

/// Shows what was asked for.
pub fn show(text: &str) -> Result<(), Error> {
    let mut out = anstream::stdout();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Says something beside it.
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

/// Asks a person yes or no. Anything but a plain yes is a no.
///
/// # Errors
/// Where nobody is there to be asked, with `instead` to say what to do then.
pub fn confirm(question: &str, instead: &str) -> Result<bool, Error> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::Refused(format!("there is no terminal to ask at; {instead}")));
    }
    anstream::eprint!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}

/// Reads at most `most` bytes of a secret: from a person who types it unseen, or else from whatever standard input is.
pub fn read_secret(prompt: &str, most: usize) -> Result<Zeroizing<String>, Error> {
    use std::io::Read as _;
    if std::io::stdin().is_terminal() {
        return Ok(Zeroizing::new(rpassword::prompt_password(prompt)?));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(most));
    std::io::stdin().take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    // What is no UTF-8 is no token either.
    Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_yes_is_a_yes() {
        for yes in ["y\n", "Y\n", "yes\n", " YES \n"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "yep\n", "ye\n", "no, yes\n"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }

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
