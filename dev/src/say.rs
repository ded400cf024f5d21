//! Messages to whoever watches.

use std::fmt::Display;
use std::io::Write;

/// Writes a line to standard error. Where that is closed nobody listens, and the work goes on.
pub fn say(message: impl Display) {
    let _ = writeln!(std::io::stderr(), "{message}");
}
