//! The scripts that have a shell, or kubectl, ask this program for candidates.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use clap_complete::env::{Bash, CompleteEnv, EnvCompleter, Fish, Zsh};

use crate::kubectl::completion::line::PROGRAM;
use crate::kubectl::completion::names::with_names;
use crate::kubectl::error::Error;

/// Set by the registered script of a shell that asks for candidates.
const VARIABLE: &str = "KEYWARD_COMPLETE";
/// What kubectl runs to complete what comes after `kubectl keyward`.
const KUBECTL_SCRIPT: &str = "\
#!/usr/bin/env sh
# kubectl completes `kubectl keyward` with this. It must be executable, and be kubectl_complete-keyward on your PATH.
exec kubectl-keyward __complete \"$@\"
";

/// Flags of `completion`.
#[derive(Args, Clone, Copy, Debug)]
pub struct CompletionArgs {
    /// For whom: a shell, or kubectl itself, which then completes `kubectl keyward` in every shell that it
    /// knows.
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Who completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// A script to source, for `kubectl-keyward`.
    Bash,
    /// A script to source, for `kubectl-keyward`.
    Zsh,
    /// A script to source, for `kubectl-keyward`.
    Fish,
    /// The script `kubectl_complete-keyward`, for `kubectl keyward`.
    Kubectl,
}

/// Answers a shell that asks for candidates, and ends the program then. `command` gives the whole command
/// line.
pub fn answer_shells(command: fn() -> clap::Command) {
    CompleteEnv::with_factory(|| with_names(command))
        .var(VARIABLE)
        .bin(PROGRAM)
        .completer(PROGRAM)
        .complete();
}

/// `completion`: the script for a shell.
pub fn script(args: CompletionArgs) -> Result<(), Error> {
    let mut script = Vec::new();
    let completer: &dyn EnvCompleter = match args.shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
        Shell::Kubectl => return Ok(std::io::stdout().write_all(KUBECTL_SCRIPT.as_bytes())?),
    };
    completer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    Ok(std::io::stdout().write_all(&script)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectls_script_passes_every_word_on() {
        assert!(KUBECTL_SCRIPT.ends_with("exec kubectl-keyward __complete \"$@\"\n"));
        assert!(KUBECTL_SCRIPT.lines().all(|line| line.len() <= 120));
    }
}
