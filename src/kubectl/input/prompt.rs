//! What users are asked at the terminal, and what standard input holds.

use std::io::{IsTerminal as _, Read as _};

use zeroize::Zeroizing;

use crate::kubectl::error::Error;

/// Asks the user yes or no. Anything but a plain yes is a no.
///
/// # Errors
/// Without a terminal to ask at; `instead` says what to do then.
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

/// Reads at most `most` bytes of a secret: from a user who types it unseen, or else from whatever standard
/// input is.
pub fn read_secret(prompt: &str, most: usize) -> Result<Zeroizing<String>, Error> {
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
}
