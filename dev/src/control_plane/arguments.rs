//! The command lines of the programs.

use std::path::Path;

use super::options::Options;
use super::pki::Pki;
use super::ports::Ports;

/// Everything that the command lines are made of.
pub(crate) struct Setting<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) pki: &'a Pki,
    pub(crate) ports: Ports,
    pub(crate) options: &'a Options,
}

impl Setting<'_> {
    /// etcd without the syncs to disk that data of a few minutes doesn't need. Its port for peers, of which
    /// there are none, is any free one.
    pub(crate) fn etcd(&self) -> Vec<String> {
        let client = self.etcd_url();
        let peer = "https://127.0.0.1:0";
        vec![
            format!("--data-dir={}", self.path(&format!("etcd-{}", self.ports.etcd))),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            format!("--cert-file={}", self.pki.file("server.crt")),
            format!("--key-file={}", self.pki.file("server.key")),
            format!("--trusted-ca-file={}", self.pki.file("ca.crt")),
            "--client-cert-auth=true".into(),
            format!("--peer-cert-file={}", self.pki.file("server.crt")),
            format!("--peer-key-file={}", self.pki.file("server.key")),
            format!("--peer-trusted-ca-file={}", self.pki.file("ca.crt")),
            "--peer-client-cert-auth=true".into(),
            "--unsafe-no-fsync=true".into(),
            "--log-level=warn".into(),
        ]
    }

    /// The API server with RBAC. It doesn't publish its own address as endpoints: loopback isn't allowed
    /// there.
    pub(crate) fn api_server(&self, audit_log: Option<&Path>) -> Vec<String> {
        let mut args = vec![
            "--bind-address=127.0.0.1".into(),
            "--advertise-address=127.0.0.1".into(),
            "--endpoint-reconciler-type=none".into(),
            format!("--secure-port={}", self.ports.api_server),
            format!("--cert-dir={}", self.path("api-server")),
            format!("--tls-cert-file={}", self.pki.file("server.crt")),
            format!("--tls-private-key-file={}", self.pki.file("server.key")),
            format!("--client-ca-file={}", self.pki.file("ca.crt")),
            format!("--etcd-servers={}", self.etcd_url()),
            format!("--etcd-cafile={}", self.pki.file("ca.crt")),
            format!("--etcd-certfile={}", self.pki.file("etcd-client.crt")),
            format!("--etcd-keyfile={}", self.pki.file("etcd-client.key")),
            "--authorization-mode=RBAC".into(),
            "--service-cluster-ip-range=10.0.0.0/24".into(),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".into(),
            format!("--service-account-key-file={}", self.pki.file("service-account.pub")),
            format!("--service-account-signing-key-file={}", self.pki.file("service-account.key")),
        ];
        if let Some(audit_log) = audit_log {
            args.push(format!("--audit-policy-file={}", self.path(AUDIT_POLICY)));
            args.push(format!("--audit-log-path={}", audit_log.display()));
        }
        if self.options.token_webhook {
            args.push(format!("--authentication-token-webhook-config-file={}", self.path(TOKEN_WEBHOOK)));
            args.push("--authentication-token-webhook-version=v1".into());
            args.push(format!("--authentication-token-webhook-cache-ttl={TOKEN_WEBHOOK_CACHE}"));
        }
        args.extend(self.options.extra_api_server_args.iter().cloned());
        args
    }

    /// Its controllers, each under its own service account as in a cluster.
    pub(crate) fn controller_manager(&self, kubeconfig: &Path) -> Vec<String> {
        let kubeconfig = kubeconfig.display();
        vec![
            format!("--controllers={}", CONTROLLERS.join(",")),
            "--leader-elect=false".into(),
            "--use-service-account-credentials=true".into(),
            format!("--kubeconfig={kubeconfig}"),
            format!("--authentication-kubeconfig={kubeconfig}"),
            format!("--authorization-kubeconfig={kubeconfig}"),
            "--bind-address=127.0.0.1".into(),
            format!("--secure-port={}", self.ports.controller_manager),
            format!("--cert-dir={}", self.path("controller-manager")),
            format!("--tls-cert-file={}", self.pki.file("server.crt")),
            format!("--tls-private-key-file={}", self.pki.file("server.key")),
        ]
    }

    pub(crate) fn etcd_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.etcd)
    }

    pub(crate) fn api_server_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.api_server)
    }

    pub(crate) fn controller_manager_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.controller_manager)
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

/// Those of the controller manager that need no nodes.
const CONTROLLERS: [&str; 4] = [
    "clusterrole-aggregation-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "resourcequota-controller",
];

/// The file that says where the API server asks about tokens.
pub(crate) const TOKEN_WEBHOOK: &str = "token-webhook.kubeconfig";

/// How long the API server keeps an answer. Its own two minutes would be long to wait for after a key is
/// switched off.
const TOKEN_WEBHOOK_CACHE: &str = "1s";

/// The file with the policy of the audit log.
pub(crate) const AUDIT_POLICY: &str = "audit-policy.json";

/// One line for each request: who, what and how it ended, without bodies.
pub(crate) const AUDIT_POLICY_CONTENT: &str = r#"{
  "apiVersion": "audit.k8s.io/v1",
  "kind": "Policy",
  "omitStages": ["RequestReceived"],
  "rules": [{ "level": "Metadata" }]
}
"#;
