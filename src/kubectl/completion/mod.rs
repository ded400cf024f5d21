//! Completion for shells and for kubectl, with the names of the cluster's own objects.

use std::ffi::OsString;
use std::io::Write as _;
use std::time::Duration;

use clap::{Args, CommandFactory as _, FromArgMatches as _, ValueEnum};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate, complete};
use clap_complete::env::{Bash, CompleteEnv, EnvCompleter, Fish, Zsh};

use crate::api::{AccessKey, ServiceAccount};
use crate::kubectl::cli::Cli;
use crate::kubectl::cluster::client::Kind;
use crate::kubectl::cluster::runtime::runtime;
use crate::kubectl::error::Error;
use crate::kubectl::globals::Globals;
use crate::kubectl::output::table::lines;

/// Set by the registered script of a shell that asks for candidates.
const VARIABLE: &str = "KEYWARD_COMPLETE";
/// The program.
const PROGRAM: &str = "kubectl-keyward";
/// How long a person who presses Tab waits at most for names.
const PATIENCE: Duration = Duration::from_secs(2);
/// What kubectl runs to complete what comes after `kubectl keyward`.
const KUBECTL_SCRIPT: &str = "\
#!/usr/bin/env sh
# kubectl completes `kubectl keyward` with this. It must be executable, and be kubectl_complete-keyward on your PATH.
exec kubectl-keyward __complete \"$@\"
";

/// Flags of `completion`.
#[derive(Args, Clone, Copy, Debug)]
pub struct CompletionArgs {
    /// For whom: a shell, or kubectl itself, which then completes `kubectl keyward` in every shell that it knows.
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

/// What kubectl's script passes on.
#[derive(Args, Clone, Debug)]
pub struct CandidatesArgs {
    /// The words after `kubectl keyward`; the last one is to be completed.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

/// Answers a shell that asks for candidates, and ends the program then.
pub fn answer_shells() {
    CompleteEnv::with_factory(Cli::command).var(VARIABLE).bin(PROGRAM).completer(PROGRAM).complete();
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

/// `__complete`: candidates as kubectl reads them, each with its help behind a tab, and at the end that no file names are
/// wanted.
pub fn candidates(args: CandidatesArgs) -> Result<(), Error> {
    let words: Vec<OsString> = [PROGRAM.into()].into_iter().chain(args.words).collect();
    let last = words.len().saturating_sub(1);
    let wants_flags = words.last().is_some_and(|word| word.to_string_lossy().starts_with('-'));
    let mut command = Cli::command();
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

/// Candidates for the name of a service account.
pub fn service_accounts() -> ArgValueCandidates {
    ArgValueCandidates::new(names::<ServiceAccount>)
}

/// Candidates for the name of an access key.
pub fn access_keys() -> ArgValueCandidates {
    ArgValueCandidates::new(names::<AccessKey>)
}

/// The names in the cluster, with the flags that stand on the line already. Where there is no answer in time, there are
/// none: a person who presses Tab wants no error.
fn names<K: Kind>() -> Vec<CompletionCandidate> {
    let Ok(runtime) = runtime() else { return Vec::new() };
    let asked = runtime.block_on(async {
        let names = async {
            let globals = globals_of(&words_of(std::env::args_os()))?;
            globals.connect().await.ok()?.names::<K>().await.ok()
        };
        tokio::time::timeout(PATIENCE, names).await.ok().flatten()
    });
    asked.unwrap_or_default().into_iter().map(CompletionCandidate::new).collect()
}

/// The line that is completed, out of this program's own arguments.
fn words_of(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec![PROGRAM.into()];
    let line = arguments.skip_while(|word| word != "--" && word != "__complete");
    // A shell's script passes the program's name too.
    words.extend(line.skip(1).skip_while(|word| word.to_string_lossy().ends_with(PROGRAM)));
    words
}

/// The flags of every command, as far as they can be read from a line that is not finished.
fn globals_of(words: &[OsString]) -> Option<Globals> {
    let matches = Cli::command().ignore_errors(true).try_get_matches_from(words).ok()?;
    let mut deepest = &matches;
    while let Some((_, below)) = deepest.subcommand() {
        deepest = below;
    }
    Globals::from_arg_matches(deepest).ok()
}

#[cfg(test)]
mod tests {
    //! What of a line that is not finished is understood.

    use super::*;

    fn words(line: &[&str]) -> Vec<OsString> {
        words_of(line.iter().map(OsString::from))
    }

    #[test]
    fn the_line_is_found_behind_what_a_shell_or_kubectl_puts_before_it() {
        let line = ["kubectl-keyward", "describe", "-n", "shop", ""];
        let expected: Vec<OsString> = line.iter().map(OsString::from).collect();
        assert_eq!(
            words(&[&["/bin/kubectl-keyward", "--", "kubectl-keyward"], &line[1..]].concat()),
            expected
        );
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
            let globals = globals_of(&words(line)).unwrap();
            assert_eq!(
                (globals.namespace.as_deref(), globals.context.as_deref()),
                (Some("shop"), Some("dev")),
                "{line:?}"
            );
        }
    }

    #[test]
    fn kubectls_script_passes_every_word_on() {
        assert!(KUBECTL_SCRIPT.ends_with("exec kubectl-keyward __complete \"$@\"\n"));
        assert!(KUBECTL_SCRIPT.lines().all(|line| line.len() <= 120));
    }
}
