//! Waits until a program answers, or ends, or takes too long.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::process::Command;

use crate::patience::PATIENCE;

use super::Error;
use super::process::Process;

const INTERVAL: Duration = Duration::from_millis(50);

/// Waits until the program listens.
pub(crate) async fn listens(process: &Process, port: u16) -> Result<(), Error> {
    until(process, async || match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    })
    .await
}

/// Asks a server with the real client, so that its certificate and the user's are checked too.
pub(crate) struct Client<'a> {
    pub(crate) kubectl: &'a Path,
    pub(crate) kubeconfig: &'a Path,
}

impl Client<'_> {
    /// Waits until `server` answers `path`.
    pub(crate) async fn answers(&self, process: &Process, server: &str, path: &str) -> Result<(), Error> {
        until(process, async || self.get(server, path).await).await
    }

    async fn get(&self, server: &str, path: &str) -> Result<(), String> {
        let mut command = Command::new(self.kubectl);
        command.arg("--kubeconfig").arg(self.kubeconfig).args(["--server", server]);
        command.args(["get", "--request-timeout=5s", "--raw", path]);
        command.stdin(Stdio::null()).kill_on_drop(true);
        match command.output().await {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(format!("can't run {}: {error}", self.kubectl.display())),
        }
    }
}

async fn until(process: &Process, mut probe: impl AsyncFnMut() -> Result<(), String>) -> Result<(), Error> {
    let start = Instant::now();
    loop {
        process.check()?;
        match probe().await {
            Ok(()) => return Ok(()),
            Err(last) if start.elapsed() >= PATIENCE => return Err(process.not_ready(PATIENCE, last)),
            Err(_) => {
                // The end of the program or the time for the next question, whichever is first.
                tokio::select! {
                    () = process.ended() => {}
                    () = tokio::time::sleep(INTERVAL) => {}
                }
            }
        }
    }
}
