//! `cargo xtask`: its commands, and nothing else.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use keyward::runtime::telemetry::with_causes;
use xtask::generated;

/// What developers of Keyward need beside cargo.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write what is generated from the source: CRDs, the chart's copy of them, JSON Schemas, reference pages, the `OpenAPI`
    /// document.
    Generate {
        /// Write into this folder instead of the repository.
        #[arg(long, value_name = "FOLDER", default_value_os_t = repository())]
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Generate { out } => generated::write(&out),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

/// The folder of the repository that this program was built from.
fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
