//! The subcommands of `dev`; each runs a control plane no longer than itself.

mod error;
mod named;
mod print;
mod signals;
mod up;
mod with;

use std::future::Future;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use keyward_dev::{Assets, Gateway, Gateways, Program, Tool};

pub(crate) use error::Error;
use named::named;
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
    /// Make sure that all programs of a control plane are there and print their folders, or some and their
    /// paths
    Assets {
        /// Which ones
        #[arg(value_name = "PROGRAM", value_parser = named(Program::ALL, Program::file_name))]
        programs: Vec<Program>,
    },
    /// Make sure that all gateways are there and print their folder, or some and their paths
    Gateways {
        /// Which ones
        #[arg(value_name = "GATEWAY", value_parser = named(Gateway::ALL, Gateway::file_name))]
        gateways: Vec<Gateway>,
    },
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
            Command::Assets { programs } if programs.is_empty() => {
                print_paths(&Assets::ensure(&Program::ALL)?.dirs())
            }
            Command::Assets { programs } => {
                let assets = Assets::ensure(&programs)?;
                print_paths(&programs.iter().map(|program| assets.path(*program)).collect::<Vec<_>>())
            }
            Command::Gateways { gateways } if gateways.is_empty() => {
                print_paths(&[Gateways::ensure(&Gateway::ALL)?.dir()])
            }
            Command::Gateways { gateways } => {
                let found = Gateways::ensure(&gateways)?;
                print_paths(&gateways.iter().map(|gateway| found.path(*gateway)).collect::<Vec<_>>())
            }
            Command::Tools { tools } => {
                let paths = tools.into_iter().map(Tool::ensure).collect::<Result<Vec<_>, _>>()?;
                print_paths(&paths)
            }
            Command::Up => {
                let assets = Assets::ensure(&Program::ALL)?;
                block_on(up::run(assets))
            }
            Command::With(with) => {
                let assets = Assets::ensure(&with.programs())?;
                block_on(with::run(assets, with))
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
