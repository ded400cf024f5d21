//! The `keyward` program: its subcommands, and nothing else.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use keyward::runtime::config::{ControllerArgs, ProcessArgs, VerifierArgs};
use keyward::runtime::{client, clock, memory, shutdown, telemetry};
use keyward::validate::command::ValidateArgs;
use keyward::{api, controller, validate, verifier};
use kube::{Client, ResourceExt as _};
use tokio_util::sync::CancellationToken;

/// It asks for huge pages, which make a large index quicker to read, and is as good in a static program as
/// elsewhere.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    /// Say whether presented keys are good, to gateways, applications and the kube-apiserver.
    Verifier(VerifierArgs),
    /// Check manifests without a cluster.
    Validate(ValidateArgs),
    /// Print the `CustomResourceDefinitions` as YAML.
    Crds {
        /// Write one file a kind into this folder instead.
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
    },
    /// Write the JSON Schemas of the kinds, for editors.
    Schemas {
        /// The folder to write them into.
        #[arg(long, value_name = "FOLDER")]
        dir: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Controller(args) => Box::pin(run_controller(args)).await,
        Command::Verifier(args) => Box::pin(run_verifier(args)).await,
        Command::Validate(args) => return validate::command::run(&args, clock::now()),
        Command::Crds { dir } => crds(dir.as_deref()),
        Command::Schemas { dir } => write_schemas(&dir),
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
    let (client, shutdown) = start(&args.process).await?;
    Ok(Box::pin(controller::run(client, args, shutdown)).await?)
}

async fn run_verifier(args: VerifierArgs) -> Result<(), Box<dyn std::error::Error>> {
    let (client, shutdown) = start(&args.process).await?;
    Ok(Box::pin(verifier::run(client, args, shutdown)).await?)
}

/// What every long-running process begins with.
async fn start(args: &ProcessArgs) -> Result<(Client, CancellationToken), Box<dyn std::error::Error>> {
    memory::forbid_dumps()?;
    telemetry::start(args.log_format, &args.log)?;
    client::choose_tls();
    Ok((client::connect().await?, shutdown::on_signal()?))
}

fn crds(dir: Option<&Path>) -> Result<(), Box<dyn std::error::Error>> {
    let Some(dir) = dir else {
        return print(&api::crds::yaml()?);
    };
    std::fs::create_dir_all(dir)?;
    for crd in api::crds::all()? {
        std::fs::write(dir.join(format!("{}.yaml", crd.name_any())), api::crds::document(&crd)?)?;
    }
    Ok(())
}

fn write_schemas(dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(dir)?;
    for document in api::json_schema::documents()? {
        std::fs::write(dir.join(document.name), document.text)?;
    }
    Ok(())
}

fn print(text: &str) -> Result<(), Box<dyn std::error::Error>> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
