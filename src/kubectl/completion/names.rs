//! Names of the cluster's own objects, as candidates.
//!
//! A command marks an argument with [`NameOf`], and knows nothing of completion. [`with_names`] gives each
//! marked argument its candidates; it is handed the whole command line, so that nothing here imports the
//! commands.

use std::time::Duration;

use clap::Command;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use crate::api::{AccessKey, ServiceAccount};
use crate::kubectl::cluster::object::NamespacedObject;
use crate::kubectl::cluster::runtime::runtime;
use crate::kubectl::completion::line::{globals_of, words_of};
use crate::kubectl::input::name::NameOf;

/// How long a user who presses Tab waits at most for names.
const PATIENCE: Duration = Duration::from_secs(2);

/// The command line that `command` gives, with candidates for each argument that is a name.
pub fn with_names(command: fn() -> Command) -> Command {
    marked(command(), command)
}

fn marked(part: Command, whole: fn() -> Command) -> Command {
    let part = part.mut_subcommands(|below| marked(below, whole));
    part.mut_args(|argument| match argument.get::<NameOf>() {
        Some(NameOf::ServiceAccount) => argument.add(candidates::<ServiceAccount>(whole)),
        Some(NameOf::AccessKey) => argument.add(candidates::<AccessKey>(whole)),
        None => argument,
    })
}

fn candidates<K: NamespacedObject>(whole: fn() -> Command) -> ArgValueCandidates {
    ArgValueCandidates::new(move || names::<K>(whole()))
}

/// The names in the cluster, with the flags that are on the line already. Where there is no answer in time,
/// there are none: a user who presses Tab wants no error.
fn names<K: NamespacedObject>(command: Command) -> Vec<CompletionCandidate> {
    let Ok(runtime) = runtime() else { return Vec::new() };
    let known = runtime.block_on(async {
        let names = async {
            let globals = globals_of(&words_of(std::env::args_os()), command)?;
            globals.connect().await.ok()?.names::<K>().await.ok()
        };
        tokio::time::timeout(PATIENCE, names).await.ok().flatten()
    });
    known.unwrap_or_default().into_iter().map(CompletionCandidate::new).collect()
}
