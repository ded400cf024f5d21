//! Starts the programs one after the other, each when the one it needs answers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::assets::{Assets, Program};

use super::Error;
use super::arguments::Setting;
use super::folder::write_private;
use super::kubeconfig::{Credential, render};
use super::pki::Identity;
use super::process::Process;
use super::ready::{Client, listens};

/// How long each program has to end by itself.
const STOP_BOUND: Duration = Duration::from_secs(5);

/// The programs of a control plane. They are dropped in this order: nobody loses the server it talks to.
#[derive(Debug)]
pub(crate) struct Running {
    controller_manager: Option<Process>,
    api_server: Process,
    etcd: Process,
}

/// The file with the administrator's kubeconfig.
pub(crate) const KUBECONFIG: &str = "kubeconfig";

impl Running {
    /// Starts all of them and waits until they are ready.
    pub(crate) async fn start(
        assets: &Assets,
        setting: &Setting<'_>,
        audit_log: Option<&Path>,
    ) -> Result<Self, Error> {
        let launch = Launch { assets, setting };
        let admin = launch.write_kubeconfig(KUBECONFIG, "admin", &setting.pki.admin)?;
        let kubectl = assets.path(Program::Kubectl);
        let client = Client { kubectl: &kubectl, kubeconfig: &admin };
        let etcd = launch.program(Program::Etcd, &setting.etcd())?;
        listens(&etcd, setting.ports.etcd).await?;
        let api_server = launch.api_server(&client, audit_log).await?;
        let controller_manager = if setting.options.controller_manager {
            Some(launch.controller_manager(&client).await?)
        } else {
            None
        };
        Ok(Self { controller_manager, api_server, etcd })
    }

    /// An error when one of them has ended.
    pub(crate) fn check(&self) -> Result<(), Error> {
        // Without etcd the API server ends too, and it is the cause that should be told.
        self.etcd.check()?;
        self.api_server.check()?;
        self.controller_manager.as_ref().map_or(Ok(()), Process::check)
    }

    /// Waits until one of them ends.
    pub(crate) async fn one_ended(&self) {
        let controller_manager = async {
            match &self.controller_manager {
                Some(process) => process.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.etcd.ended() => {}
            () = self.api_server.ended() => {}
            () = controller_manager => {}
        }
    }

    /// Stops all of them.
    pub(crate) async fn stop(&self) -> Result<(), Error> {
        if let Some(controller_manager) = &self.controller_manager {
            controller_manager.stop(STOP_BOUND).await?;
        }
        self.api_server.stop(STOP_BOUND).await?;
        self.etcd.stop(STOP_BOUND).await
    }
}

struct Launch<'a> {
    assets: &'a Assets,
    setting: &'a Setting<'a>,
}

impl Launch<'_> {
    async fn api_server(&self, client: &Client<'_>, audit_log: Option<&Path>) -> Result<Process, Error> {
        let process = self.program(Program::ApiServer, &self.setting.api_server(audit_log))?;
        let url = self.setting.api_server_url();
        listens(&process, self.setting.ports.api_server).await?;
        client.answers(&process, &url, "/readyz").await?;
        // The API server is ready a moment before the namespaces are that every cluster has.
        client.answers(&process, &url, "/api/v1/namespaces/default").await?;
        Ok(process)
    }

    async fn controller_manager(&self, client: &Client<'_>) -> Result<Process, Error> {
        let identity = &self.setting.pki.controller_manager;
        let kubeconfig =
            self.write_kubeconfig("controller-manager.kubeconfig", "controller-manager", identity)?;
        let args = self.setting.controller_manager(&kubeconfig);
        let process = self.program(Program::ControllerManager, &args)?;
        listens(&process, self.setting.ports.controller_manager).await?;
        client.answers(&process, &self.setting.controller_manager_url(), "/healthz").await?;
        Ok(process)
    }

    fn program(&self, program: Program, args: &[String]) -> Result<Process, Error> {
        let name = program.file_name();
        let log = self.setting.folder.join(format!("{name}.log"));
        Process::start(name, &self.assets.path(program), args, &log)
    }

    fn write_kubeconfig(&self, file: &str, user: &str, identity: &Identity) -> Result<PathBuf, Error> {
        let path = self.setting.folder.join(file);
        let credential = Credential::Certificate(identity);
        let server = self.setting.api_server_url();
        let content = render(&server, &self.setting.pki.authority, user, &credential);
        write_private(&path, content.as_bytes())?;
        Ok(path)
    }
}
