//! What can be read from a command line that is not finished.

use std::ffi::OsString;

use clap::FromArgMatches as _;

use crate::kubectl::globals::Globals;

/// The program.
pub const PROGRAM: &str = "kubectl-keyward";

/// The line that is completed, out of this program's own arguments.
pub fn words_of(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec![PROGRAM.into()];
    let line = arguments.skip_while(|word| word != "--" && word != "__complete");
    // A shell's script passes the program's name too.
    words.extend(line.skip(1).skip_while(|word| word.to_string_lossy().ends_with(PROGRAM)));
    words
}

/// The flags of every command, as far as they can be read from a line that is not finished.
pub fn globals_of(words: &[OsString], command: clap::Command) -> Option<Globals> {
    let matches = command.ignore_errors(true).try_get_matches_from(words).ok()?;
    let mut deepest = &matches;
    while let Some((_, below)) = deepest.subcommand() {
        deepest = below;
    }
    Globals::from_arg_matches(deepest).ok()
}
