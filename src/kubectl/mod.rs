//! `kubectl keyward`: service accounts and their keys for users at a terminal, with the user's own rights.
//!
//! | room | what it is for |
//! | --- | --- |
//! | `cli`, `globals` | the arguments, and the flags of every command |
//! | `commands` | one command a file or a folder, and the list of them |
//! | `cluster` | reads, changes, follows and waits, with the user's kubeconfig |
//! | `input` | what users type, as values |
//! | `output` | how things look |
//! | `completion` | shells and kubectl |
//! | `context`, `error`, `denial`, `exit` | what a command is given, why it fails, and how the program ends |
//!
//! Imports go one way: `cli` → `commands` → `cluster` → `output` → `error`. Nothing here decides anything
//! about keys: that is for `domain`.

mod cli;
mod cluster;
mod commands;
mod completion;
mod context;
mod denial;
mod error;
mod exit;
mod globals;
mod input;
mod output;
#[cfg(test)]
mod samples;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::domain::value::token::Token;
use crate::runtime::client;
use crate::runtime::clock::now;
use cli::{Cli, Command};
use commands::snapshot;
use context::Context;
use error::Error;
use output::screen::{self, Terminal};

/// The program.
pub fn main() -> ExitCode {
    completion::answer_shells(Cli::command);
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // Before anything repeats them in a message.
    if arguments.iter().any(|argument| Token::find_in(&argument.to_string_lossy()).is_some()) {
        screen::error(&Error::token_as_argument());
        return ExitCode::from(2);
    }
    let Cli { snapshot, globals, command } = cli::parse(&arguments);
    anstream::ColorChoice::from(globals.color).write_global();
    client::choose_tls();
    let context = Context { globals, terminal: Terminal::of_stdout(), now: now() };
    match command {
        Some(Command::Completion(args)) => exit::code(completion::script(args)),
        Some(Command::Candidates(args)) => exit::code(completion::candidates(args, Cli::command)),
        Some(Command::Cluster(command)) => block_on(command.run(&context)),
        None => block_on(async { exit::code(snapshot::run(&context, snapshot).await) }),
    }
}

fn block_on(command: impl Future<Output = ExitCode>) -> ExitCode {
    match cluster::runtime::runtime() {
        Ok(runtime) => runtime.block_on(command),
        Err(error) => exit::code(Err(error.into())),
    }
}
