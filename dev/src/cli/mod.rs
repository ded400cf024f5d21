//! The subcommands of `dev`; each runs a control plane no longer than itself.

mod error;
mod print;
mod signals;
mod up;
mod with;

use std::future::Future;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use keyward_dev::{Assets, Gateways, Tool};

pub(crate) use error::Error;
use print::print;
use with::With;

/// A local Kubernetes control plane: real programs, on this machine only, gone when it ends.
#[derive(Debug, Parser)]
#[command(name = "dev", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make sure that the programs are there, and print their folder
    Assets,
    /// Make sure that the gateways are there, and print their folder
    Gateways,
    /// Make sure that other programs are there, and print their paths
    Tools {
        /// Which ones; by default those that tests run
        #[arg(value_enum, default_values_t = Tool::OF_TESTS)]
        tools: Vec<Tool>,
    },
    /// Start a control plane that stays until Ctrl-C
    Up,
    /// Start a control plane for a command, and end with the command's exit code
    With(With),
}

impl Cli {
    /// Carries out the subcommand.
    pub(crate) fn run(self) -> Result<ExitCode, Error> {
        match self.command {
            // A build that is interrupted ends at once, since no signal is handled before it is done.
            Command::Assets => print_paths(&Assets::ensure()?.dirs()),
            Command::Gateways => print_paths(&[Gateways::ensure()?.dir()]),
            Command::Tools { tools } => {
                let paths = tools.into_iter().map(Tool::ensure).collect::<Result<Vec<_>, _>>()?;
                print_paths(&paths)
            }
            Command::Up => {
                Assets::ensure()?;
                block_on(up::run())
            }
            Command::With(with) => {
                Assets::ensure()?;
                block_on(with::run(with))
            }
        }
    }
}

fn print_paths(paths: &[impl AsRef<Path>]) -> Result<ExitCode, Error> {
    let lines = paths.iter().map(|path| format!("{}\n", path.as_ref().display()));
    print(&lines.collect::<String>())?;
    Ok(ExitCode::SUCCESS)
}

fn block_on(work: impl Future<Output = Result<ExitCode, Error>>) -> Result<ExitCode, Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?.block_on(work)
}
