//! Which arguments get candidates.

use clap::{Command, CommandFactory as _};
use clap_complete::engine::ArgValueCandidates;

use crate::kubectl::cli::Cli;
use crate::kubectl::completion::names::with_names;

/// Every argument with candidates, behind its commands.
fn with_candidates(command: &Command, path: &str, found: &mut Vec<String>) {
    let arguments = command.get_arguments().filter(|argument| argument.get::<ArgValueCandidates>().is_some());
    found.extend(arguments.map(|argument| format!("{path} {}", argument.get_id())));
    for below in command.get_subcommands() {
        with_candidates(below, format!("{path} {}", below.get_name()).trim(), found);
    }
}

#[test]
fn every_argument_that_is_a_name_of_an_object_has_candidates() {
    let mut found = Vec::new();
    with_candidates(&with_names(Cli::command), "", &mut found);
    found.sort();
    assert_eq!(
        found,
        [
            "activate name",
            "audit name",
            "deactivate name",
            "describe name",
            "key activate name",
            "key create service_account",
            "key deactivate name",
            "key reveal name",
            "key rotate name",
            "who-can name",
        ]
    );
}
