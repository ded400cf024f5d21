//! Starts a control plane, says how to reach it, and stops it without leaving a process or a folder behind.

mod arguments;
mod error;
mod folder;
mod kubeconfig;
mod log_tail;
mod pki;
mod ports;
mod process;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use arguments::{AUDIT_POLICY, AUDIT_POLICY_CONTENT, Setting};
use folder::{Folder, write_private};
use kubeconfig::Credential;
use pki::Pki;
use ports::Ports;
use process::Process;

use crate::assets::{Assets, Program};

pub use error::Error;

/// How long each program may take until it is ready.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long each program may take to stop before it is killed.
const GRACE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(100);
/// How often other ports are tried where another process took one.
const ATTEMPTS: u32 = 3;

/// What a control plane has.
#[derive(Clone, Debug)]
pub struct Options {
    /// The controllers for cascading deletes, namespace deletion and quotas.
    pub controller_manager: bool,
    /// A log of every request, who made it and how it ended.
    pub audit_log: bool,
    /// More flags for the API server.
    pub extra_api_server_args: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            controller_manager: true,
            audit_log: false,
            extra_api_server_args: Vec::new(),
        }
    }
}

/// A running control plane. A drop kills it and removes its folder.
#[derive(Debug)]
pub struct ControlPlane {
    // Fields drop in this order: clients before what they talk to, the folder last.
    processes: Vec<Process>,
    assets: Assets,
    authority: String,
    server: String,
    audit_log: Option<PathBuf>,
    folder: Folder,
}

impl ControlPlane {
    /// Starts one. Where its programs are missing they are built first, which takes minutes.
    ///
    /// # Errors
    /// When a program is missing and can't be built, doesn't start, or isn't ready in time.
    pub async fn start(options: Options) -> Result<Self, Error> {
        folder::sweep();
        let assets = tokio::task::spawn_blocking(Assets::ensure).await??;
        let mut attempt = 1;
        loop {
            match Self::start_once(&assets, &options).await {
                Err(error) if error.is_port_clash() && attempt < ATTEMPTS => attempt += 1,
                other => return other,
            }
        }
    }

    async fn start_once(assets: &Assets, options: &Options) -> Result<Self, Error> {
        let folder = Folder::create()?;
        let pki = Pki::create(&folder.path().join("pki"))?;
        let ports = Ports::pick().map_err(Error::Port)?;
        let path = folder.path().to_owned();
        let setting = Setting {
            folder: &path,
            pki: &pki,
            ports,
            options,
        };
        let audit_log = options.audit_log.then(|| path.join("audit.log"));
        write_private(&path.join(AUDIT_POLICY), AUDIT_POLICY_CONTENT.as_bytes())?;

        let etcd = run(assets, Program::Etcd, &setting.etcd(), &path)?;
        let api_server = run(
            assets,
            Program::ApiServer,
            &setting.api_server(audit_log.as_deref()),
            &path,
        )?;
        let mut plane = Self {
            processes: vec![api_server, etcd],
            assets: assets.clone(),
            authority: pki.authority.clone(),
            server: setting.api_server_url(),
            audit_log,
            folder,
        };
        let admin = plane.write_kubeconfig("admin", &Credential::Certificate(&pki.admin))?;
        plane
            .wait_until_ready(&admin, &setting.api_server_url(), "/readyz")
            .await?;
        if options.controller_manager {
            let own = plane.write_kubeconfig(
                "controller-manager",
                &Credential::Certificate(&pki.controller_manager),
            )?;
            let args = setting.controller_manager(&own);
            let started = run(assets, Program::ControllerManager, &args, &path)?;
            plane.processes.insert(0, started);
            plane
                .wait_until_ready(&admin, &setting.controller_manager_url(), "/healthz")
                .await?;
        }
        Ok(plane)
    }

    /// The folder with logs, certificates and data. It goes with the control plane.
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// The kubeconfig of an administrator (group `system:masters`).
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.dir().join("admin.kubeconfig")
    }

    /// The log of requests, where [`Options::audit_log`] asked for it.
    pub fn audit_log_path(&self) -> Option<&Path> {
        self.audit_log.as_deref()
    }

    /// Where the programs lie.
    pub fn assets(&self) -> &Assets {
        &self.assets
    }

    /// The path of kubectl.
    pub fn kubectl(&self) -> PathBuf {
        self.assets.path(Program::Kubectl)
    }

    /// The path of helm.
    pub fn helm(&self) -> PathBuf {
        self.assets.path(Program::Helm)
    }

    /// Writes a kubeconfig with a bearer token into the folder, readable by its owner only.
    ///
    /// # Errors
    /// When `name` is no file name, or the file can't be written.
    pub fn kubeconfig_for_token(&self, name: &str, token: &str) -> Result<PathBuf, Error> {
        if !kubeconfig::is_name(name) {
            return Err(Error::Name {
                name: name.to_owned(),
            });
        }
        self.write_kubeconfig(name, &Credential::Token(token))
    }

    /// Stops every program and removes the folder.
    ///
    /// # Errors
    /// When a program can't be stopped or the folder can't be removed.
    pub async fn stop(self) -> Result<(), Error> {
        for process in &self.processes {
            process.stop(GRACE).await?;
        }
        drop(self.processes);
        self.folder.close()
    }

    fn write_kubeconfig(&self, name: &str, credential: &Credential<'_>) -> Result<PathBuf, Error> {
        let path = self.dir().join(format!("{name}.kubeconfig"));
        let text = kubeconfig::render(&self.server, &self.authority, name, credential);
        write_private(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Asks until the youngest program says that it is ready, or one of them ends.
    async fn wait_until_ready(&self, admin: &Path, server: &str, path: &str) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            for process in &self.processes {
                process.check()?;
            }
            let answer = self.ask(admin, server, path).await?;
            match (answer, self.processes.first()) {
                (None, _) => return Ok(()),
                (Some(last), Some(youngest)) if started.elapsed() > PATIENCE => {
                    return Err(youngest.not_ready(PATIENCE, last));
                }
                (Some(_), _) => tokio::time::sleep(POLL).await,
            }
        }
    }

    /// `None` where `path` answers well, and otherwise what it answers.
    async fn ask(&self, admin: &Path, server: &str, path: &str) -> Result<Option<String>, Error> {
        let output = tokio::process::Command::new(self.kubectl())
            .arg("--kubeconfig")
            .arg(admin)
            .args(["--server", server, "--request-timeout=5s", "get", "--raw", path])
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(|source| Error::Run {
                program: "kubectl",
                source,
            })?;
        if output.status.success() {
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

fn run(assets: &Assets, program: Program, args: &[String], folder: &Path) -> Result<Process, Error> {
    let name = program.file_name();
    Process::start(
        name,
        &assets.path(program),
        args,
        &folder.join(format!("{name}.log")),
    )
}
