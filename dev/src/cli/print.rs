//! Standard output, which holds what was asked for and nothing else.

use std::io::{self, Write as _};

use super::error::Error;

/// Writes it at once.
pub(super) fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Error::Output)
}
