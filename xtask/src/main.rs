//! `cargo xtask`: its commands, and nothing else.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use keyward::runtime::telemetry::with_causes;
use xtask::{generated, imports};

/// What developers of Keyward need beside cargo.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write what is generated from the source: CRDs, the chart's copy of them, JSON Schemas, reference
    /// pages, the `OpenAPI` document.
    Generate {
        /// Write into this folder instead of the repository.
        #[arg(long, value_name = "FOLDER", default_value_os_t = repository())]
        out: PathBuf,
    },
    /// Fail if files of the workspace import from each other in a circle.
    Imports,
}

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Generate { out } => generated::write(&out).map_err(Into::into),
        Command::Imports => check_imports(),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {}", with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn check_imports() -> Result<(), Box<dyn std::error::Error>> {
    let circles = imports::circles(&repository())?;
    if circles.is_empty() {
        return Ok(());
    }
    let circles: Vec<String> = circles.iter().map(ToString::to_string).collect();
    Err(format!("files import from each other\n{}", circles.join("\n")).into())
}

/// The folder of the repository that this program was built from.
fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
