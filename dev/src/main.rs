//! The command `dev`: the local control plane on the command line.

mod cli;

use std::process::ExitCode;

use clap::Parser;
use keyward_dev::say;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            say(format_args!("Error: {error}"));
            ExitCode::FAILURE
        }
    }
}
