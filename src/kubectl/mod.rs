//! `kubectl keyward`: service accounts and their keys for people at a terminal, with the person's own rights.
//!
//! Each command has a file. It reads the cluster, a pure function makes a text of what was found and the time, and that is
//! shown.
//!
//! | file | what it is |
//! | --- | --- |
//! | `cli.rs`, `globals.rs` | the commands, and the flags of all of them |
//! | `cluster.rs`, `follow.rs` | the way to the cluster |
//! | `error.rs`, `denial.rs`, `warnings.rs` | what went wrong, in words, and what the API server warns of |
//! | `change.rs`, `manifest.rs`, `wait.rs` | what all commands that change something have in common |
//! | `screen.rs`, `table.rs`, `times.rs`, `states.rs`, `icon.rs`, `log.rs` | how things look |
//! | `completion.rs` | shells and kubectl |
//! | all others | the command of that name; `switch.rs` has `activate` and `deactivate` |

mod audit;
mod change;
mod cli;
mod cluster;
mod completion;
mod create;
mod denial;
mod describe;
mod error;
mod expiring;
mod follow;
mod globals;
mod icon;
mod key;
mod log;
mod manifest;
#[cfg(test)]
mod samples;
mod screen;
mod snapshot;
mod states;
mod subject;
mod switch;
mod table;
mod times;
mod verify;
mod wait;
mod warnings;
mod who_can;

use std::ffi::OsString;
use std::process::ExitCode;

use chrono::{DateTime, Utc};

use crate::domain::value::text::one_line;
use crate::domain::value::token::Token;
use crate::runtime::client;
use crate::runtime::clock::now;
use cli::{Cli, ClusterCommand, Command};
use error::Error;
use globals::Globals;
use screen::Look;
use snapshot::SnapshotArgs;
use table::{Tone, paint};

/// What every command is given.
struct Context {
    globals: Globals,
    look: Look,
    now: DateTime<Utc>,
}

/// Said to whoever gives a token where others can read it.
const TOKEN_AS_ARGUMENT: &str = "a token must not be an argument, where other users and the shell's history see it; give \
                                 it on standard input, and rotate the one that you gave";

/// The program.
pub fn main() -> ExitCode {
    completion::answer_shells();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // Before anything repeats them in a message.
    if arguments.iter().any(|argument| Token::find_in(&argument.to_string_lossy()).is_some()) {
        report(&Error::Refused(TOKEN_AS_ARGUMENT.into()));
        return ExitCode::from(2);
    }
    let Cli { snapshot, globals, command } = cli::parse(&arguments);
    anstream::ColorChoice::from(globals.color).write_global();
    client::choose_tls();
    let context = Context { globals, look: Look::of_stdout(), now: now() };
    let command = match command {
        Some(Command::Completion(args)) => return exit_code(completion::script(args)),
        Some(Command::Candidates(args)) => return exit_code(completion::candidates(args)),
        Some(Command::Cluster(command)) => Some(*command),
        None => None,
    };
    match runtime() {
        Ok(runtime) => runtime.block_on(run(&context, snapshot, command)),
        Err(error) => exit_code(Err(error.into())),
    }
}

/// One thread: there is little to do at once.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

async fn run(context: &Context, snapshot: SnapshotArgs, command: Option<ClusterCommand>) -> ExitCode {
    let ended = match command {
        None => snapshot::run(context, snapshot).await,
        Some(ClusterCommand::Describe(args)) => describe::run(context, args).await,
        Some(ClusterCommand::Audit(args)) => audit::run(context, args).await,
        Some(ClusterCommand::Create(args)) => create::run(context, args).await,
        Some(ClusterCommand::Key { command }) => key::run(context, command).await,
        Some(ClusterCommand::Activate(args)) => switch::activate(context, args).await,
        Some(ClusterCommand::Deactivate(args)) => switch::deactivate(context, args).await,
        Some(ClusterCommand::WhoCan(args)) => who_can::run(context, args).await,
        Some(ClusterCommand::Expiring(args)) => expiring::run(context, args).await,
        Some(ClusterCommand::Verify(args)) => return verify::run(context, args).await,
    };
    exit_code(ended)
}

fn exit_code(ended: Result<(), Error>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read it had enough.
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// Says why it did not work.
fn report(error: &Error) {
    screen::note(&format!("{} {}", paint(Tone::Bad, "error:"), one_line(&error.to_string())));
}

/// A command of this program in a namespace, to paste.
fn command(namespace: &str, rest: &str) -> String {
    format!("kubectl keyward -n {namespace} {rest}")
}
