//! A process of Keyward: the real program, under a core service account that RBAC allows exactly what the
//! chart lists.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount as CoreServiceAccount;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use kube::config::Kubeconfig;
use serde_json::{Value, json};

use super::command::{dev_dir, run, text};
use super::objects::from_json;
use super::scene::Scene;
use super::wait::eventually;

pub struct Program {
    child: Option<Child>,
    log: PathBuf,
    pub name: String,
}

impl Program {
    /// Starts `keyward <subcommand>` in the scene's namespace.
    pub fn spawn(
        scene: &Scene,
        subcommand: &str,
        token: &str,
        through: Option<&str>,
        arguments: impl FnOnce(&mut Command),
    ) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{subcommand}-{number}", scene.namespace);
        let kubeconfig = dev_dir().join(format!("{name}.kubeconfig"));
        std::fs::write(&kubeconfig, kubeconfig_text(token, through)).unwrap();
        let log = dev_dir().join(format!("{name}.log"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
        command
            .args([subcommand, "--namespace", &scene.namespace, "--health-address", "127.0.0.1:0"])
            .args(["--sealing-namespace", &scene.namespace])
            .args(["--instance", &name, "--log", "info,keyward=debug"])
            .env("KUBECONFIG", &kubeconfig)
            .stdout(File::create(&log).unwrap())
            .stderr(File::options().append(true).open(&log).unwrap());
        arguments(&mut command);
        Self { child: Some(command.spawn().unwrap()), log, name }
    }

    pub async fn ready(&self) {
        eventually(&format!("{} is ready", self.name), async || {
            self.get("readyz").filter(|answer| answer == "ok\n").ok_or_else(|| self.log())
        })
        .await;
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The lines of the log as JSON.
    pub fn lines(&self) -> Vec<Value> {
        self.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The lines of the audit stream.
    pub fn audit_lines(&self) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line["target"] == "audit").collect()
    }

    /// Answers of the health port.
    pub fn get(&self, path: &str) -> Option<String> {
        let line = self.lines().into_iter().find(|line| line["address"].is_string())?;
        let output = run(
            "curl",
            &["-s", "--max-time", "60", &format!("http://{}/{path}", line["address"].as_str()?)],
            "",
        );
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    pub fn metrics(&self) -> String {
        self.get("metrics").expect("metrics are answered")
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// As the kernel would on a lost node.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// As Kubernetes does.
    pub fn terminate(&mut self) -> ExitStatus {
        self.keep_metrics();
        let pid = self.pid().to_string();
        text(&run("kill", &["-TERM", &pid], ""));
        self.child.take().unwrap().wait().unwrap()
    }

    pub async fn exit(&mut self) -> ExitStatus {
        let child = self.child.as_mut().unwrap();
        let status =
            eventually("the process exits", async || child.try_wait().unwrap().ok_or("still running")).await;
        self.child = None;
        status
    }

    /// Keeps the metrics beside the logs, so that they are searched for tokens too.
    fn keep_metrics(&self) {
        if let Some(metrics) = self.get("metrics") {
            std::fs::write(self.log.with_extension("metrics.log"), metrics).unwrap();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.is_running() {
            self.keep_metrics();
        }
        self.kill();
    }
}

/// The chart's rules, but those that concern the resource `without`.
pub fn rules(files: &[&str], without: Option<&str>) -> Vec<Value> {
    let rules = files.iter().flat_map(|text| serde_yaml::from_str::<Vec<Value>>(text).unwrap());
    let lacks = |rule: &Value| {
        without.is_some_and(|name| rule["resources"].as_array().unwrap().contains(&json!(name)))
    };
    rules.filter(|rule| !lacks(rule)).collect()
}

/// A token of a core service account with those rules.
pub async fn identity(scene: &Scene, name: &str, rules: &[Value]) -> String {
    let metadata = json!({"name": name, "namespace": scene.namespace});
    let params = PatchParams::apply("test").force();
    let account: CoreServiceAccount = from_json(json!({"metadata": metadata}));
    let accounts: Api<CoreServiceAccount> = scene.api();
    accounts.patch(name, &params, &Patch::Apply(&account)).await.unwrap();
    let role: Role = from_json(json!({"metadata": metadata, "rules": rules}));
    scene.api::<Role>().patch(name, &params, &Patch::Apply(&role)).await.unwrap();
    let binding: RoleBinding = from_json(json!({
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": scene.namespace}],
    }));
    scene.api::<RoleBinding>().patch(name, &params, &Patch::Apply(&binding)).await.unwrap();
    let request = TokenRequest {
        spec: TokenRequestSpec { expiration_seconds: Some(7200), ..TokenRequestSpec::default() },
        ..TokenRequest::default()
    };
    let answer = accounts.create_token_request(name, &PostParams::default(), &request).await.unwrap();
    answer.status.unwrap().token
}

fn kubeconfig_text(token: &str, through: Option<&str>) -> String {
    let admin = Kubeconfig::read_from(std::env::var("KUBECONFIG").unwrap()).unwrap();
    let mut cluster = serde_json::to_value(&admin.clusters[0].cluster).unwrap();
    if let Some(url) = through {
        cluster = json!({"server": url});
    }
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    })
    .to_string()
}
