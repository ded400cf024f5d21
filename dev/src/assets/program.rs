//! The programs of a control plane, and the Go package that each is built from.

use std::fmt;

use super::target::Target;

/// A program of the control plane or a client of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The store of the API server.
    Etcd,
    /// The Kubernetes API server.
    ApiServer,
    /// The Kubernetes controllers: cascading deletes, namespace deletion, quotas.
    ControllerManager,
    /// The Kubernetes command line client.
    Kubectl,
    /// The chart installer.
    Helm,
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Etcd, Self::ApiServer, Self::ControllerManager, Self::Kubectl, Self::Helm];

    /// What setup-envtest lays into a folder: an API server that answers, and a client for it.
    pub const SERVERS: [Self; 3] = [Self::Etcd, Self::ApiServer, Self::Kubectl];

    /// The name of the file, in `KUBEBUILDER_ASSETS` and in the cache.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
        }
    }

    /// The Go package, a `tool` of the control plane's module.
    pub(crate) fn package(self) -> &'static str {
        match self {
            Self::Etcd => "go.etcd.io/etcd/server/v3",
            Self::ApiServer => "k8s.io/kubernetes/cmd/kube-apiserver",
            Self::ControllerManager => "k8s.io/kubernetes/cmd/kube-controller-manager",
            Self::Kubectl => "k8s.io/kubernetes/cmd/kubectl",
            Self::Helm => "helm.sh/helm/v4/cmd/helm",
        }
    }

    /// How it is built.
    pub(crate) fn target(self) -> Target {
        let file_name = self.file_name();
        let built_name = if self == Self::Etcd { "server" } else { file_name };
        Target { package: self.package(), built_name, file_name }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file_name())
    }
}

/// `a`, `a and b` or `a, b and c`.
pub(crate) fn names(names: &[&str]) -> String {
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}
