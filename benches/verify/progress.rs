//! How far a run is, on standard error.

use std::io::{IsTerminal as _, Write as _};

/// What goes on, over what went on before where it can be written over.
pub fn progress(text: &str) {
    let mut out = std::io::stderr().lock();
    // Nothing depends on it.
    let _ = if out.is_terminal() { write!(out, "\r\x1b[2K{text}") } else { writeln!(out, "  {text}") };
    let _ = out.flush();
}

/// Ends the line that shows progress.
pub fn done() {
    if std::io::stderr().is_terminal() {
        progress("");
    }
}
