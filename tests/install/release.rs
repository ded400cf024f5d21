//! A release of the chart, and the programs as its Deployments describe them.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keyward_dev::TIMEOUT;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::own_cluster::eventually;
use crate::own_cluster::{Cluster, Process};

const NAMESPACE: &str = "keyward-system";
const PLAIN_HTTP: [&str; 2] = ["--set", "verifier.allowPlainHttp=true"];
/// Where the pod of the verifier has its certificate.
const MOUNT: &str = "/etc/keyward/tls";
/// Short, so that the next controller need not wait long for one that was killed.
const LEASE: [&str; 2] = ["--set", "leaderElection.leaseSeconds=6"];

pub struct Release<'a> {
    cluster: &'a Cluster,
    chart: PathBuf,
    programs: Vec<Process>,
    verifier: Option<String>,
    starts: u32,
}

impl<'a> Release<'a> {
    /// Installs the chart into a namespace of its own, with a verifier that answers plain HTTP.
    pub fn install(cluster: &'a Cluster, values: &[&str]) -> Self {
        let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/keyward");
        let release = Self { cluster, chart, programs: Vec::new(), verifier: None, starts: 0 };
        release.install_again(values);
        release
    }

    /// Installs the chart without a word on TLS.
    pub fn install_by_default(cluster: &'a Cluster) -> Self {
        let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/keyward");
        let release = Self { cluster, chart, programs: Vec::new(), verifier: None, starts: 0 };
        release.helm_install(&[]);
        release
    }

    pub fn install_again(&self, values: &[&str]) {
        self.helm_install(&[&PLAIN_HTTP[..], values].concat());
    }

    fn helm_install(&self, values: &[&str]) {
        let arguments = [&LEASE[..], &["--create-namespace"], values].concat();
        self.helm(&["install", "keyward", self.chart.to_str().unwrap()], &arguments);
        self.cluster.kubectl(&["wait", "--for=condition=Established", "crd", "--all", TIMEOUT]);
    }

    pub fn upgrade(&self, values: &[&str]) {
        let reuse: &[&str] =
            if values.contains(&"--reset-then-reuse-values") { &[] } else { &["--reuse-values"] };
        self.helm(&["upgrade", "keyward", self.chart.to_str().unwrap()], &[reuse, values].concat());
    }

    pub fn uninstall(&self) {
        self.helm(&["uninstall", "keyward"], &[]);
    }

    /// From now on it is a chart of a later version.
    pub fn next_version(&mut self) {
        let next = self.cluster.plane.dir().join("next");
        let copied = Command::new("cp").arg("-r").arg(&self.chart).arg(&next).status().unwrap();
        assert!(copied.success());
        let file = next.join("Chart.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        let version = |name: &str| format!("\n{name}: {}", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&version("version")) && text.contains(&version("appVersion")));
        let text = text.replace(&version("version"), "\nversion: 99.0.0");
        std::fs::write(&file, text.replace(&version("appVersion"), "\nappVersion: 99.0.0")).unwrap();
        self.chart = next;
    }

    fn helm(&self, command: &[&str], arguments: &[&str]) {
        let mut helm = self.cluster.command("helm");
        let output = helm.args(command).args(["--namespace", NAMESPACE]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts controller and verifier as the Deployments say, as the core service accounts that they name, in
    /// place of those that run; and waits until they are ready.
    pub async fn start_programs(&mut self) {
        self.stop_programs();
        self.starts += 1;
        for process in ["controller", "verifier"] {
            let log = self.start(process);
            let what = format!("{process} is ready");
            eventually(&what, async || ready(&log).ok_or_else(|| std::fs::read_to_string(&log).unwrap()))
                .await;
            if process == "verifier" {
                self.verifier = logged(&log, "listening");
            }
        }
    }

    /// Where the verifier answers.
    pub fn answers_at(&mut self, address: String) {
        self.verifier = Some(address);
    }

    pub fn address(&self) -> &str {
        self.verifier.as_deref().unwrap()
    }

    pub fn stop_programs(&mut self) {
        self.programs.clear();
    }

    /// Starts one program, and gives the path of its log.
    pub fn start(&mut self, process: &str) -> PathBuf {
        let name = format!("keyward-{process}");
        let got = self.cluster.kubectl(&["-n", NAMESPACE, "get", "deployment", &name, "-o", "json"]);
        let pod: Value = serde_json::from_str::<Value>(&got).unwrap()["spec"]["template"]["spec"].clone();
        let account = pod["serviceAccountName"].as_str().unwrap();
        let token = self.cluster.kubectl(&["-n", NAMESPACE, "create", "token", account, "--duration=2h"]);
        let kubeconfig = self.cluster.plane.kubeconfig_for_token(process, token.trim()).unwrap();
        let log = self.cluster.plane.dir().join(format!("{process}-{}.log", self.starts));
        let container = &pod["containers"][0];
        let words = |list: &Value| {
            let words = list.as_array().into_iter().flatten();
            words.map(|word| word.as_str().unwrap().to_owned()).collect::<Vec<String>>()
        };
        let mut command = self.cluster.command(env!("CARGO_BIN_EXE_keyward"));
        command.args(words(&container["args"])).env("KUBECONFIG", kubeconfig);
        for variable in container["env"].as_array().unwrap() {
            let value = match variable["valueFrom"]["fieldRef"]["fieldPath"].as_str() {
                None => variable["value"].as_str().unwrap(),
                Some("metadata.namespace") => NAMESPACE,
                Some("metadata.name") => &name,
                Some(other) => panic!("{other} is not known here"),
            };
            let mounted = self.mounted();
            command.env(variable["name"].as_str().unwrap(), value.replace(MOUNT, mounted.to_str().unwrap()));
        }
        // Ports that are free.
        command.env("KEYWARD_HEALTH_ADDRESS", "127.0.0.1:0").env("KEYWARD_LISTEN_ADDRESS", "127.0.0.1:0");
        command.stdout(File::create(&log).unwrap()).stderr(Stdio::inherit());
        self.programs.push(Process::spawn(command));
        log
    }

    fn mounted(&self) -> PathBuf {
        self.cluster.plane.dir().join("mounted")
    }

    /// Puts the verifier's certificate where its pod has it, as the kubelet does once there is one.
    pub async fn mount_certificate(&self) {
        let got = ["-n", NAMESPACE, "get", "deployment", "keyward-verifier", "-o", "json"];
        let got: Value = serde_json::from_str(&self.cluster.kubectl(&got)).unwrap();
        let volume = &got["spec"]["template"]["spec"]["volumes"][0]["secret"];
        assert_eq!(volume["optional"], true, "the pod starts without it");
        let name = volume["secretName"].as_str().unwrap();
        let found = ["-n", NAMESPACE, "get", "secret", name, "-o", "jsonpath={.type}"];
        self.cluster.until(&found, "kubernetes.io/tls").await;
        std::fs::create_dir_all(self.mounted()).unwrap();
        for file in ["tls.key", "tls.crt"] {
            let template = format!("go-template={{{{index .data \"{file}\" | base64decode}}}}");
            let text = self.cluster.kubectl(&["-n", NAMESPACE, "get", "secret", name, "-o", &template]);
            std::fs::write(self.mounted().join(file), text).unwrap();
        }
    }

    /// Right after the CRDs came, the API server refuses the kinds, until the policies know them.
    pub async fn apply_once_the_policies_know_the_kinds(&self, manifests: &str) {
        let file = self.cluster.plane.dir().join("account.yaml");
        std::fs::write(&file, manifests).unwrap();
        eventually("the manifests are taken", async || {
            let output = self.cluster.command("kubectl").args(["apply", "-f"]).arg(&file).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() { Ok(()) } else { Err(said) }
        })
        .await;
    }

    /// Waits until the verifier lets in a key of namespace shop.
    pub async fn lets_in(&self, key: &str) {
        let token = ["-n", "shop", "get", "secret", key, "-o", "go-template={{.data.token | base64decode}}"];
        let token = self.cluster.kubectl(&token);
        let url = format!("http://{}/auth", self.verifier.as_ref().unwrap());
        eventually("the key is let in", async || {
            let answer = ureq::get(&url).header("authorization", format!("Bearer {token}")).call();
            answer.map(|_| ()).map_err(|error| error.to_string())
        })
        .await;
    }
}

pub fn logged(log: &Path, field: &str) -> Option<String> {
    let text = std::fs::read_to_string(log).unwrap();
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find_map(|line| Some(line[field].as_str()?.to_owned()))
}

pub fn ready(log: &Path) -> Option<()> {
    ureq::get(format!("http://{}/readyz", logged(log, "address")?)).call().ok().map(|_| ())
}

/// All that makes up the keys of namespace shop, by name: what is asked for, what is so, and their Secrets to
/// the last byte, of which only a digest is shown.
pub fn keys(cluster: &Cluster) -> BTreeMap<String, Value> {
    let list = |kind: &str| {
        let got = cluster.kubectl(&["-n", "shop", "get", kind, "-o", "json"]);
        let list: Value = serde_json::from_str(&got).unwrap();
        list["items"].as_array().unwrap().clone()
    };
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
    let key = |object: Value| {
        let status = &object["status"];
        let kept = json!({
            "uid": object["metadata"]["uid"], "generation": object["metadata"]["generation"], "spec": object["spec"],
            "token": status["token"], "state": status["state"], "conditions": status["conditions"],
            "published": status["published"], "secretName": status["secretName"],
        });
        (format!("key {}", name(&object)), kept)
    };
    let secret = |object: Value| {
        let kept = json!({
            "metadata": object["metadata"], "type": object["type"],
            "data": format!("{:x?}", Sha256::digest(object["data"].to_string())),
        });
        (format!("Secret {}", name(&object)), kept)
    };
    list("kwkey").into_iter().map(key).chain(list("secrets").into_iter().map(secret)).collect()
}
