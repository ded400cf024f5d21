//! `dev with`: a control plane for the time of one command.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use clap::Args;
use keyward_dev::{Assets, ControlPlane, Options, Program, say};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::error::Error;
use super::named::named;
use super::signals::{Signals, exit_code};

/// How long a command has to end after the signal.
const STOP_BOUND: Duration = Duration::from_secs(10);

/// How to start the control plane, and for what.
#[derive(Debug, Args)]
pub(crate) struct With {
    /// Start no kube-controller-manager
    #[arg(long)]
    no_controller_manager: bool,
    /// Start without this program where it is not there yet; the command builds it with `dev assets`
    #[arg(long, value_name = "PROGRAM", value_parser = named([Program::Helm], Program::file_name))]
    later: Vec<Program>,
    /// Write an audit log, to the file that `KEYWARD_DEV_AUDIT_LOG` names
    #[arg(long)]
    audit_log: bool,
    /// Have the API server ask about tokens at the address that `KEYWARD_DEV_TOKEN_WEBHOOK` names
    #[arg(long)]
    token_webhook: bool,
    /// The command and its arguments
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

impl With {
    /// What must be there before the control plane starts.
    pub(crate) fn programs(&self) -> Vec<Program> {
        let is_needed = |program: &Program| match program {
            Program::ControllerManager => !self.no_controller_manager,
            program => !self.later.contains(program),
        };
        Program::ALL.into_iter().filter(is_needed).collect()
    }
}

pub(crate) async fn run(assets: Assets, with: With) -> Result<ExitCode, Error> {
    let mut signals = Signals::listen()?;
    let options = Options {
        controller_manager: !with.no_controller_manager,
        audit_log: with.audit_log,
        token_webhook: with.token_webhook,
        ..Options::default()
    };
    let control_plane = tokio::select! {
        started = ControlPlane::start_with(assets, options) => started?,
        signal = signals.next() => return Ok(exit_code(signal.as_raw_value())),
    };
    let status = run_command(&control_plane, &with.command, &mut signals).await;
    let stopped = control_plane.stop().await;
    let status = status?;
    match (code(status), stopped) {
        // The command's own failure comes first, and the reason may be the control plane's.
        (code, Err(error)) if !status.success() => {
            say(format_args!("Error: {error}"));
            Ok(code)
        }
        (code, stopped) => stopped.map(|()| code).map_err(Into::into),
    }
}

async fn run_command(
    control_plane: &ControlPlane,
    words: &[OsString],
    signals: &mut Signals,
) -> Result<ExitStatus, Error> {
    let Some((program, args)) = words.split_first() else {
        return Ok(ExitStatus::default());
    };
    let failed = |source| Error::Run { program: program.to_string_lossy().into_owned(), source };
    let path = search_path(&control_plane.assets().dirs(), env::var_os("PATH"))?;
    let mut command = Command::new(program);
    command
        .args(args)
        .env("PATH", path)
        .env("KUBECONFIG", control_plane.kubeconfig_path())
        .env("KEYWARD_DEV_DIR", control_plane.dir())
        .env("KUBEBUILDER_ASSETS", control_plane.assets().dir())
        .kill_on_drop(true);
    for name in env::vars_os().map(|(name, _)| name).filter(|name| describes_this_package(name)) {
        command.env_remove(name);
    }
    match control_plane.audit_log_path() {
        Some(path) => command.env("KEYWARD_DEV_AUDIT_LOG", path),
        None => command.env_remove("KEYWARD_DEV_AUDIT_LOG"),
    };
    match control_plane.token_webhook() {
        Some(address) => command.env("KEYWARD_DEV_TOKEN_WEBHOOK", address.to_string()),
        None => command.env_remove("KEYWARD_DEV_TOKEN_WEBHOOK"),
    };
    let mut child = command.spawn().map_err(failed)?;
    tokio::select! {
        status = child.wait() => status.map_err(failed),
        _ = signals.next() => stop(child).await,
    }
}

/// Whether it is one of the variables in which `cargo run` describes the package of this program. To a cargo
/// that the command runs they are a change that build scripts ask about, and it compiles a good part of all
/// again.
fn describes_this_package(name: &OsStr) -> bool {
    ["CARGO_MANIFEST_", "CARGO_PKG_"]
        .iter()
        .any(|start| name.as_encoded_bytes().starts_with(start.as_bytes()))
}

async fn stop(mut child: Child) -> Result<ExitStatus, Error> {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        kill_process(pid, Signal::TERM).map_err(|error| Error::Stop(error.into()))?;
    }
    if let Ok(status) = tokio::time::timeout(STOP_BOUND, child.wait()).await {
        return status.map_err(Error::Stop);
    }
    child.start_kill().map_err(Error::Stop)?;
    child.wait().await.map_err(Error::Stop)
}

fn search_path(folders: &[&Path], rest: Option<OsString>) -> Result<OsString, Error> {
    let rest = rest.unwrap_or_default();
    let own = folders.iter().map(|folder| folder.to_path_buf());
    Ok(env::join_paths(own.chain(env::split_paths(&rest)))?)
}

fn code(status: ExitStatus) -> ExitCode {
    match (status.code(), status.signal()) {
        (Some(code), _) => ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)),
        (None, Some(signal)) => exit_code(signal),
        (None, None) => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(no_controller_manager: bool, later: &[Program]) -> Vec<Program> {
        let later = later.to_vec();
        let with =
            With { no_controller_manager, later, audit_log: false, token_webhook: false, command: vec![] };
        with.programs()
    }

    #[test]
    fn what_is_left_out_need_not_be_there() {
        assert_eq!(programs(false, &[]), Program::ALL);
        assert_eq!(programs(true, &[Program::Helm]), Program::SERVERS);
        assert!(programs(true, &[]).contains(&Program::Helm));
    }
}
