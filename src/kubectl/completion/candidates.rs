//! Candidates for kubectl's own completion, which calls this program once for each.

use std::ffi::OsString;
use std::io::Write as _;

use clap::Args;
use clap_complete::engine::{CompletionCandidate, complete};

use crate::kubectl::completion::line::PROGRAM;
use crate::kubectl::completion::names::with_names;
use crate::kubectl::error::Error;
use crate::kubectl::output::table::lines;

/// What kubectl's script passes on.
#[derive(Args, Clone, Debug)]
pub struct CandidatesArgs {
    /// The words after `kubectl keyward`; the last one is to be completed.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

/// `__complete`: candidates as kubectl reads them, each with its help behind a tab, and at the end that no
/// file names are wanted.
pub fn candidates(args: CandidatesArgs, command: fn() -> clap::Command) -> Result<(), Error> {
    let words: Vec<OsString> = [PROGRAM.into()].into_iter().chain(args.words).collect();
    let last = words.len().saturating_sub(1);
    let wants_flags = words.last().is_some_and(|word| word.to_string_lossy().starts_with('-'));
    let mut command = with_names(command);
    let here = std::env::current_dir().ok();
    let found = complete(&mut command, words, last, here.as_deref())?;
    let shown = found.iter().filter(|candidate| !candidate.is_hide_set());
    let shown =
        shown.filter(|candidate| wants_flags || !candidate.get_value().to_string_lossy().starts_with('-'));
    let text = lines(shown.map(candidate).chain([":4".into()]));
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

fn candidate(candidate: &CompletionCandidate) -> String {
    let value = candidate.get_value().to_string_lossy();
    let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
    match help.lines().next() {
        Some(help) => format!("{value}\t{help}"),
        None => value.into_owned(),
    }
}
