//! The `keyward` program: its subcommands, and nothing else.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use keyward::runtime::config::ControllerArgs;
use keyward::runtime::{client, shutdown, telemetry};
use keyward::{api, controller};

/// Machine identities for Kubernetes.
#[derive(Parser)]
#[command(name = "keyward", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Issue and police access keys.
    Controller(ControllerArgs),
    /// Print the CustomResourceDefinitions as YAML.
    Crds,
}

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Controller(args) => run_controller(args).await,
        Command::Crds => print_crds(),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("keyward: {}", telemetry::with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run_controller(args: ControllerArgs) -> Result<(), Box<dyn std::error::Error>> {
    telemetry::start(args.process.log_format, &args.process.log)?;
    // Two TLS libraries in the tree would leave it open which one is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let shutdown = shutdown::on_signal()?;
    let client = client::connect().await?;
    Ok(controller::run(client, args, shutdown).await?)
}

fn print_crds() -> Result<(), Box<dyn std::error::Error>> {
    Ok(std::io::stdout().write_all(api::crds::yaml()?.as_bytes())?)
}
