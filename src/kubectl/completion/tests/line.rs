//! What of a line that is not finished is understood.

use std::ffi::OsString;

use clap::CommandFactory as _;

use crate::kubectl::cli::Cli;
use crate::kubectl::completion::line::{globals_of, words_of};

fn words(line: &[&str]) -> Vec<OsString> {
    words_of(line.iter().map(OsString::from))
}

#[test]
fn the_line_is_found_behind_what_a_shell_or_kubectl_puts_before_it() {
    let line = ["kubectl-keyward", "describe", "-n", "shop", ""];
    let expected: Vec<OsString> = line.iter().map(OsString::from).collect();
    assert_eq!(words(&[&["/bin/kubectl-keyward", "--", "kubectl-keyward"], &line[1..]].concat()), expected);
    assert_eq!(words(&[&["kubectl-keyward", "__complete"], &line[1..]].concat()), expected);
}

#[test]
fn flags_count_also_in_a_line_that_is_not_finished() {
    for line in [
        &["kubectl-keyward", "__complete", "describe", "-n", "shop", "--context", "dev", ""][..],
        &["kubectl-keyward", "__complete", "-n", "shop", "--context=dev", "key", "rotate", "de"],
        &[
            "kubectl-keyward",
            "__complete",
            "-n",
            "shop",
            "key",
            "create",
            "x",
            "--context",
            "dev",
            "--service-account",
            "",
        ],
    ] {
        let globals = globals_of(&words(line), Cli::command()).unwrap();
        assert_eq!(
            (globals.namespace.as_deref(), globals.context.as_deref()),
            (Some("shop"), Some("dev")),
            "{line:?}"
        );
    }
}
