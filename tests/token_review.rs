//! The kube-apiserver takes access keys for what they are: a user of its own, with the rights that RBAC gives
//! it, until the key is switched off. The API server asks over TLS, and keeps answers for a second.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod own_cluster;

use std::net::TcpListener;
use std::process::Command;

use keyward_dev::{Options, TIMEOUT};
use own_cluster::Cluster;
use serde_json::{Value, json};

const MANIFESTS: &str = "
apiVersion: iam.keyward.dev/v1alpha1
kind: ServiceAccount
metadata: {name: ci, namespace: team-a}
---
apiVersion: iam.keyward.dev/v1alpha1
kind: AccessKey
metadata: {name: deploy, namespace: team-a}
spec: {serviceAccountName: ci, validFor: P6M}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: greeting, namespace: team-a}
";

/// Where the API server is to ask, and what the verifier needs to answer there.
struct Webhook {
    folder: tempfile::TempDir,
    address: String,
}

impl Webhook {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let webhook = Self { folder, address };
        std::fs::write(webhook.file("tls.crt"), made.cert.pem()).unwrap();
        std::fs::write(webhook.file("tls.key"), made.signing_key.serialize_pem()).unwrap();
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "keyward",
            "clusters": [{"name": "keyward", "cluster": {
                "server": format!("https://{}/tokenreview", webhook.address),
                "certificate-authority": webhook.file("tls.crt"),
            }}],
            "users": [{"name": "kube-apiserver", "user": {}}],
            "contexts": [{"name": "keyward", "context": {"cluster": "keyward", "user": "kube-apiserver"}}],
        });
        std::fs::write(webhook.file("webhook.kubeconfig"), config.to_string()).unwrap();
        webhook
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn options(&self, version: &str) -> Options {
        let extra_api_server_args = vec![
            format!("--authentication-token-webhook-config-file={}", self.file("webhook.kubeconfig")),
            format!("--authentication-token-webhook-version={version}"),
            "--authentication-token-webhook-cache-ttl=1s".into(),
        ];
        Options { extra_api_server_args, ..Options::default() }
    }
}

/// kubectl with the key's token, and no other credential.
struct Holder<'a> {
    cluster: &'a Cluster,
    kubeconfig: String,
    token: String,
}

impl<'a> Holder<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        let token = cluster.kubectl(&[
            "-n",
            "team-a",
            "get",
            "secret",
            "deploy",
            "-o",
            "go-template={{.data.token | base64decode}}",
        ]);
        let kubeconfig = cluster.plane.kubeconfig_for_token("nobody", "").unwrap().display().to_string();
        Self { cluster, kubeconfig, token }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.cluster.command("kubectl");
        command
            .args(["--kubeconfig", &self.kubeconfig, "--token", &self.token, "-n", "team-a"])
            .args(arguments);
        command
    }

    /// What kubectl says, good or bad.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    async fn until(&self, arguments: &[&str], wanted: &str) {
        own_cluster::eventually(wanted, async || {
            let said = self.says(arguments);
            if said.contains(wanted) { Ok(()) } else { Err(said) }
        })
        .await;
    }
}

async fn gets_in_obeys_rbac_and_is_out(version: &str) {
    let webhook = Webhook::new();
    let cluster = Cluster::start(webhook.options(version)).await;
    cluster.install(&["team-a"]);
    let _controller = cluster.controller();
    let (certificate, key) = (webhook.file("tls.crt"), webhook.file("tls.key"));
    let _verifier = cluster.keyward(&[
        "verifier",
        "--listen-address",
        &webhook.address,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
    ]);
    cluster.apply(MANIFESTS);
    cluster.kubectl(&["-n", "team-a", "wait", "--for=condition=Ready", "kwkey/deploy", TIMEOUT]);
    let holder = Holder::new(&cluster);
    let whoami = ["auth", "whoami", "-o", "json"];
    holder.until(&whoami, "keyward:team-a:ci").await;
    let who: Value = serde_json::from_str(&holder.says(&whoami)).unwrap();
    let user = &who["status"]["userInfo"];
    assert_eq!(user["username"], "keyward:team-a:ci");
    let groups = json!(["keyward:serviceaccounts", "keyward:serviceaccounts:team-a", "system:authenticated"]);
    assert_eq!(user["groups"], groups);

    let configmaps = ["get", "configmaps", "-o", "name"];
    let said = holder.says(&configmaps);
    assert!(said.contains(r#"User "keyward:team-a:ci" cannot list resource "configmaps""#), "{said}");
    let role = ["create", "role", "reader", "--verb=get,list", "--resource=configmaps"];
    cluster.kubectl(&[&["-n", "team-a"], &role[..]].concat());
    let binding = ["create", "rolebinding", "reader", "--role=reader", "--user=keyward:team-a:ci"];
    cluster.kubectl(&[&["-n", "team-a"], &binding[..]].concat());
    holder.until(&configmaps, "configmap/greeting").await;
    let said = holder.says(&["-n", "default", "get", "configmaps"]);
    assert!(said.contains("cannot list resource"), "{said}");

    let off = ["-n", "team-a", "patch", "kwkey", "deploy", "--type=merge", "-p"];
    cluster.kubectl(&[&off[..], &[r#"{"spec":{"state":"Inactive"}}"#]].concat());
    holder.until(&configmaps, "You must be logged in to the server").await;
    cluster.kubectl(&[&off[..], &[r#"{"spec":{"state":"Active"}}"#]].concat());
    holder.until(&whoami, "keyward:team-a:ci").await;
    cluster.plane.stop().await.unwrap();
}

#[tokio::test]
async fn a_key_is_a_user_of_the_cluster_until_it_is_switched_off() {
    gets_in_obeys_rbac_and_is_out("v1").await;
}

#[tokio::test]
async fn an_api_server_that_asks_in_the_older_version_gets_the_same_answers() {
    gets_in_obeys_rbac_and_is_out("v1beta1").await;
}
