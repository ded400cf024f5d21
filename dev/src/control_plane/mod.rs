//! A control plane of real programs that lives as long as the value that stands for it.

mod arguments;
mod error;
mod folder;
mod kubeconfig;
mod launch;
mod log_tail;
mod options;
mod pki;
mod ports;
mod process;
mod ready;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use arguments::{AUDIT_POLICY, AUDIT_POLICY_CONTENT, Setting, TOKEN_WEBHOOK};
use folder::{Folder, sweep, write_private};
use kubeconfig::{Credential, is_name, render, render_webhook};
use launch::{KUBECONFIG, Running};
use pki::Pki;
use ports::Ports;

use crate::assets::{Assets, Program};

pub use error::Error;
pub use options::Options;

/// How often a control plane is tried with other ports when another process has taken one of them.
const TRIES: usize = 3;

/// A running control plane. [`ControlPlane::stop`] ends it in order; a drop kills it. Both remove its folder.
#[derive(Debug)]
pub struct ControlPlane {
    // Dropped first: the programs write into the folder.
    running: Running,
    server: String,
    authority: String,
    assets: Assets,
    kubectl: PathBuf,
    helm: PathBuf,
    kubeconfig: PathBuf,
    audit_log: Option<PathBuf>,
    token_webhook: Option<SocketAddr>,
    folder: Folder,
}

impl ControlPlane {
    /// Starts one and waits until it is ready; builds all programs first where they are missing.
    ///
    /// # Errors
    /// When the programs can't be had, or one of them ends or doesn't get ready within
    /// [`PATIENCE`](crate::PATIENCE).
    pub async fn start(options: Options) -> Result<Self, Error> {
        let assets = tokio::task::spawn_blocking(|| Assets::ensure(&Program::ALL)).await??;
        Self::start_with(assets, options).await
    }

    /// Starts one from these programs and waits until it is ready. Those that `options` need must be there.
    ///
    /// # Errors
    /// When one of its programs is missing, ends, or doesn't get ready within [`PATIENCE`](crate::PATIENCE).
    pub async fn start_with(assets: Assets, options: Options) -> Result<Self, Error> {
        sweep();
        Self::start_on(assets, &options, Ports::pick).await
    }

    async fn start_on(
        assets: Assets,
        options: &Options,
        mut pick: impl FnMut() -> io::Result<Ports>,
    ) -> Result<Self, Error> {
        let folder = Folder::create()?;
        let pki = Pki::create(&folder.path().join("pki"))?;
        let audit_log = options.audit_log.then(|| folder.path().join("audit.log"));
        write_private(&folder.path().join(AUDIT_POLICY), AUDIT_POLICY_CONTENT.as_bytes())?;
        let mut tries = 1;
        let (running, server, token_webhook) = loop {
            let ports = pick().map_err(Error::Port)?;
            let token_webhook = SocketAddr::from((Ipv4Addr::LOCALHOST, ports.token_webhook));
            let config = render_webhook(&format!("http://{token_webhook}/tokenreview"));
            write_private(&folder.path().join(TOKEN_WEBHOOK), config.as_bytes())?;
            let setting = Setting { folder: folder.path(), pki: &pki, ports, options };
            match Running::start(&assets, &setting, audit_log.as_deref()).await {
                Ok(running) => break (running, setting.api_server_url(), token_webhook),
                Err(error) if error.is_port_clash() && tries < TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        };
        Ok(Self {
            running,
            server,
            authority: pki.authority,
            kubectl: assets.path(Program::Kubectl),
            helm: assets.path(Program::Helm),
            assets,
            kubeconfig: folder.path().join(KUBECONFIG),
            audit_log,
            token_webhook: options.token_webhook.then_some(token_webhook),
            folder,
        })
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig_path(&self) -> &Path {
        &self.kubeconfig
    }

    /// The folder with everything that belongs to this control plane; it goes with it.
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// The `kubectl` of the same version as the API server.
    pub fn kubectl(&self) -> &Path {
        &self.kubectl
    }

    /// The chart installer; [`Self::start_with`] does not need it to be there.
    pub fn helm(&self) -> &Path {
        &self.helm
    }

    /// Where all programs lie.
    pub fn assets(&self) -> &Assets {
        &self.assets
    }

    /// The address of the API server.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The audit log, when it was asked for: one JSON object a line.
    pub fn audit_log_path(&self) -> Option<&Path> {
        self.audit_log.as_deref()
    }

    /// Where the API server asks about tokens over plain HTTP, at `/tokenreview`, when that was asked for.
    /// Answers are kept for a second.
    pub fn token_webhook(&self) -> Option<SocketAddr> {
        self.token_webhook
    }

    /// Writes a kubeconfig for whoever holds `token`; only its owner can read the file.
    ///
    /// # Errors
    /// When `name` is no file name, or the file can't be written.
    pub fn kubeconfig_for_token(&self, name: &str, token: &str) -> Result<PathBuf, Error> {
        if !is_name(name) {
            return Err(Error::Name { name: name.to_owned() });
        }
        let path = self.dir().join(format!("{KUBECONFIG}-{name}"));
        let content = render(&self.server, &self.authority, name, &Credential::Token(token));
        write_private(&path, content.as_bytes())?;
        Ok(path)
    }

    /// Waits until one of the programs ends though nobody stopped it; gives the reason.
    pub async fn died(&self) -> Error {
        loop {
            self.running.one_ended().await;
            if let Err(error) = self.running.check() {
                return error;
            }
        }
    }

    /// Stops the programs, each with a request first, and removes the folder.
    ///
    /// # Errors
    /// When a program had ended before, can't be stopped, or the folder can't be removed.
    pub async fn stop(self) -> Result<(), Error> {
        let Self { running, folder, .. } = self;
        let health = running.check();
        let stopped = running.stop().await;
        // Whatever is left is killed before the folder goes.
        drop(running);
        folder.close()?;
        health.and(stopped)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_given_up_for_another() {
        let assets = Assets::ensure(&Program::ALL).unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let mut picks = 0;
        let control_plane = ControlPlane::start_on(assets, &Options::default(), || {
            picks += 1;
            let free = Ports::pick()?;
            Ok(if picks == 1 { Ports { api_server: port, ..free } } else { free })
        })
        .await
        .unwrap();
        control_plane.stop().await.unwrap();
        assert_eq!(picks, 2);
    }

    #[tokio::test]
    async fn a_bad_argument_gives_the_reason() {
        let options = Options { extra_api_server_args: vec!["--no-such-flag".into()], ..Options::default() };
        let error = ControlPlane::start(options).await.unwrap_err().to_string();
        assert!(error.starts_with("kube-apiserver ended (exit status: 1)"), "{error}");
        assert!(error.contains("unknown flag: --no-such-flag"), "{error}");
    }
}
