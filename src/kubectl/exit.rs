//! How the program ends.

use std::process::ExitCode;

use crate::kubectl::error::Error;
use crate::kubectl::output::screen;

/// The code that a command ends with, after its error is shown.
pub fn code(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output had enough of it.
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            screen::error(&error);
            ExitCode::FAILURE
        }
    }
}
