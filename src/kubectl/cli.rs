//! The command line, and how it is read. The commands that look at a cluster are listed in `commands`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::kubectl::commands::ClusterCommand;
use crate::kubectl::commands::snapshot::SnapshotArgs;
use crate::kubectl::completion;
use crate::kubectl::globals::Globals;
use crate::kubectl::output::format::ListOutput;

/// Service accounts and their access keys.
///
/// Without a command: the service accounts of the account, that is the namespace, at a glance.
#[derive(Parser, Clone, Debug)]
#[command(name = "kubectl-keyward", bin_name = "kubectl keyward", version)]
pub struct Cli {
    #[command(flatten)]
    pub snapshot: SnapshotArgs,
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    #[command(flatten)]
    Cluster(Box<ClusterCommand>),
    /// Print what completes commands, flags and names in a shell.
    Completion(completion::CompletionArgs),
    /// Candidates for kubectl's own completion.
    #[command(name = "__complete", hide = true)]
    Candidates(completion::CandidatesArgs),
}

/// Reads the arguments, or ends the program with what is wrong with them.
pub fn parse(arguments: &[OsString]) -> Cli {
    try_parse(arguments).unwrap_or_else(|error| error.exit())
}

fn try_parse(arguments: &[OsString]) -> clap::error::Result<Cli> {
    let mut command = Cli::command();
    if let Some(name) = arguments.first().and_then(|name| own_name(name)) {
        command = command.bin_name(name);
    }
    let cli = Cli::from_arg_matches(&command.clone().try_get_matches_from(arguments)?)?;
    match snapshot_flag(cli.snapshot).filter(|_| cli.command.is_some()) {
        Some(flag) => {
            let message = format!("{flag} belongs behind the command, where the command has it");
            Err(command.error(ErrorKind::ArgumentConflict, message))
        }
        None => Ok(cli),
    }
}

/// The name to show where it is not run by kubectl, which finds it by a name that begins so.
fn own_name(argument: &OsStr) -> Option<String> {
    let name = Path::new(argument).file_name()?.to_string_lossy().into_owned();
    (!name.starts_with("kubectl-")).then_some(name)
}

/// A flag of the snapshot that was given.
fn snapshot_flag(args: SnapshotArgs) -> Option<&'static str> {
    let SnapshotArgs { all_namespaces, output } = args;
    match (all_namespaces, output) {
        (true, _) => Some("--all-namespaces"),
        (false, ListOutput::Table) => None,
        (false, _) => Some("--output"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(arguments: &[&str]) -> String {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        match try_parse(&arguments) {
            Ok(_) => panic!("it is read: {arguments:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn usage_shows_the_name_that_it_was_called_by() {
        for (name, shown) in [
            ("/usr/local/bin/kubectl-keyward", "Usage: kubectl keyward"),
            ("kubectl-keyward", "Usage: kubectl keyward"),
            ("/opt/bin/keyward-cli", "Usage: keyward-cli"),
        ] {
            let said = refused(&[name, "nothing-of-that-name"]);
            assert!(said.contains(shown), "{said}");
        }
    }

    #[test]
    fn a_flag_of_the_snapshot_is_not_silently_lost_before_a_command() {
        for (flags, named) in [(&["-A"][..], "--all-namespaces"), (&["-o", "json"], "--output")] {
            let said = refused(&[&["kubectl-keyward"], flags, &["expiring"]].concat());
            assert!(said.contains(&format!("error: {named} belongs behind the command")), "{said}");
        }
    }

    #[test]
    fn flags_of_every_command_may_stand_before_or_behind_it() {
        for line in [["-n", "shop", "expiring"], ["expiring", "-n", "shop"]] {
            let line: Vec<OsString> = ["kubectl-keyward"].iter().chain(&line).map(OsString::from).collect();
            assert_eq!(try_parse(&line).unwrap().globals.namespace.as_deref(), Some("shop"));
        }
    }
}
