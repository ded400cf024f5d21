//! `dev`: a local Kubernetes control plane, to play with or around a command.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use keyward_dev::{Assets, ControlPlane, Options};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// How long a command may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(20);

type Failure = Box<dyn std::error::Error>;

/// A local Kubernetes control plane.
#[derive(Parser)]
#[command(name = "dev")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// See that its programs are there, and print their folder.
    Assets,
    /// Start one and print how to reach it; it stays until Ctrl-C.
    Up,
    /// Start one around a command, and end with the command's exit code.
    With {
        /// Leave out cascading deletes, namespace deletion and quotas.
        #[arg(long)]
        no_controller_manager: bool,
        /// Keep a log of all requests; `KEYWARD_DEV_AUDIT_LOG` names it.
        #[arg(long)]
        audit_log: bool,
        /// The command, after `--`.
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Task::Assets => assets(),
        Task::Up => up().await,
        Task::With {
            no_controller_manager,
            audit_log,
            command,
        } => {
            let options = Options {
                controller_manager: !no_controller_manager,
                audit_log,
                ..Options::default()
            };
            with(options, &command).await
        }
    };
    ended.unwrap_or_else(|error| {
        eprintln!("dev: {error}");
        ExitCode::FAILURE
    })
}

fn assets() -> Result<ExitCode, Failure> {
    println!("{}", Assets::ensure()?.dir().display());
    Ok(ExitCode::SUCCESS)
}

/// Becomes ready when the process is asked to end.
async fn asked_to_end() -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    Ok(())
}

async fn up() -> Result<ExitCode, Failure> {
    let plane = tokio::select! {
        started = ControlPlane::start(Options::default()) => started?,
        asked = asked_to_end() => return asked.map(|()| ExitCode::from(130)).map_err(Into::into),
    };
    println!("export KUBECONFIG={}", plane.kubeconfig_path().display());
    println!("export PATH={}:$PATH", path(&plane).to_string_lossy());
    eprintln!("A control plane is running. Paste the lines above into another terminal; Ctrl-C stops it.");
    asked_to_end().await?;
    plane.stop().await?;
    Ok(ExitCode::SUCCESS)
}

async fn with(options: Options, command: &[OsString]) -> Result<ExitCode, Failure> {
    let plane = tokio::select! {
        started = ControlPlane::start(options) => started?,
        asked = asked_to_end() => return asked.map(|()| ExitCode::from(130)).map_err(Into::into),
    };
    let ended = run(&plane, command).await;
    plane.stop().await?;
    ended
}

async fn run(plane: &ControlPlane, command: &[OsString]) -> Result<ExitCode, Failure> {
    let (program, arguments) = command.split_first().ok_or("no command")?;
    let mut search = path(plane);
    if let Some(rest) = std::env::var_os("PATH") {
        search.push(":");
        search.push(rest);
    }
    let mut prepared = Command::new(program);
    prepared
        .args(arguments)
        .env("KUBECONFIG", plane.kubeconfig_path())
        .env("KEYWARD_DEV_DIR", plane.dir())
        .env("KUBEBUILDER_ASSETS", plane.assets().dir())
        .env("PATH", search)
        // Ctrl-C reaches this process alone, which passes it on and then cleans up.
        .process_group(0);
    if let Some(log) = plane.audit_log_path() {
        prepared.env("KEYWARD_DEV_AUDIT_LOG", log);
    }
    let mut child = prepared
        .spawn()
        .map_err(|error| format!("{}: {error}", program.to_string_lossy()))?;
    let status = tokio::select! {
        status = child.wait() => status?,
        asked = asked_to_end() => { asked?; end(&mut child).await?; return Ok(ExitCode::from(130)); }
    };
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Asks the command to end, and kills it when it hasn't in time.
async fn end(child: &mut Child) -> Result<(), Failure> {
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
        kill_process(pid, Signal::TERM)?;
    }
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        child.kill().await?;
    }
    Ok(())
}

/// The folders of the programs, as they stand in `PATH`.
fn path(plane: &ControlPlane) -> OsString {
    let folders: Vec<_> = plane
        .assets()
        .dirs()
        .into_iter()
        .map(std::path::Path::as_os_str)
        .collect();
    folders.join(std::ffi::OsStr::new(":"))
}
