//! Flags and environment of the processes.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;

use super::server::Bounds;
use super::telemetry::LogFormat;

/// The longest head of a request to the verifier, in bytes.
pub const HEAD: usize = 32 * 1024;

/// Flags of `keyward controller`.
#[derive(Args, Clone, Debug)]
pub struct ControllerArgs {
    /// Watch this namespace only. Default: all namespaces.
    #[arg(long, env = "KEYWARD_NAMESPACE", value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// How many objects of a kind are worked on at once, 1 to 1024.
    #[arg(long, env = "KEYWARD_CONCURRENCY", value_name = "NUMBER", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,
    /// Take the annotation `iam.keyward.dev/changed-by` for the name of the user who changed an object. Only
    /// where the chart's admission policy stamps it: anybody could write it otherwise.
    #[arg(long, env = "KEYWARD_TRUST_CHANGED_BY", value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set)]
    pub trust_changed_by: bool,
    /// Keep a `ResourceQuota` in each account's namespace, so that one service account too many is refused at
    /// once.
    #[arg(long, env = "KEYWARD_RESOURCE_QUOTAS", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub resource_quotas: bool,
    /// Namespace of the sealing key, of which verifiers read the public half. Default: the namespace of the
    /// pod.
    #[arg(long, env = "KEYWARD_SEALING_NAMESPACE", value_name = "NAMESPACE")]
    pub sealing_namespace: Option<String>,
    /// DNS names and addresses of the verifier, for which to make and renew a certificate in the namespace of
    /// the sealing key. Default: none is made.
    #[arg(long, env = "KEYWARD_VERIFIER_CERTIFICATE_NAMES", value_name = "NAME", value_delimiter = ',')]
    pub verifier_certificate_names: Vec<String>,
    /// The leader lease.
    #[command(flatten)]
    pub lease: LeaseArgs,
    /// What every process has.
    #[command(flatten)]
    pub process: ProcessArgs,
}

/// Flags of `keyward verifier`.
#[derive(Args, Clone, Debug)]
pub struct VerifierArgs {
    /// Watch this namespace only. Default: all namespaces.
    #[arg(long, env = "KEYWARD_NAMESPACE", value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Namespace in which the controller keeps the public halves of its sealing keys. Default: the namespace
    /// of the pod.
    #[arg(long, env = "KEYWARD_SEALING_NAMESPACE", value_name = "NAMESPACE")]
    pub sealing_namespace: Option<String>,
    /// Where to answer gateways, applications and the kube-apiserver.
    #[arg(long, env = "KEYWARD_LISTEN_ADDRESS", value_name = "ADDRESS", default_value = "127.0.0.1:8470")]
    pub listen_address: SocketAddr,
    /// Certificate chain for TLS, as a PEM file. Read again when it changes.
    #[arg(long, env = "KEYWARD_TLS_CERT_FILE", value_name = "FILE", requires = "tls_key_file")]
    pub tls_cert_file: Option<PathBuf>,
    /// Private key for TLS, as a PEM file.
    #[arg(long, env = "KEYWARD_TLS_KEY_FILE", value_name = "FILE", requires = "tls_cert_file")]
    pub tls_key_file: Option<PathBuf>,
    /// Answer plain HTTP on other addresses than loopback too. Tokens then cross the network for anyone there
    /// to read.
    #[arg(long, env = "KEYWARD_ALLOW_PLAIN_HTTP", value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set)]
    pub allow_plain_http: bool,
    /// Gateways that are believed which client they ask for, as addresses or networks. Failures are then
    /// slowed down by client rather than by gateway.
    #[arg(long, env = "KEYWARD_TRUSTED_PROXIES", value_name = "NETWORK", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// How many connections may be open at once, 1 to 1000000, as far as `--request-memory-mib` has room for
    /// them. For a further one, one that no good key was presented on is closed.
    #[arg(long, env = "KEYWARD_MAX_CONNECTIONS", value_name = "NUMBER", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// How much memory connections and requests may hold together, in MiB, 8 to 65536. A connection takes 40
    /// KiB of it, or 64 KiB with TLS.
    #[arg(long, env = "KEYWARD_REQUEST_MEMORY_MIB", value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(8..=65_536))]
    pub request_memory_mib: u32,
    /// Refuse every key when nothing was heard of the cluster for this long, in seconds, 3 to 86400.
    #[arg(long, env = "KEYWARD_MAX_STALENESS_SECONDS", value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(3..=86_400))]
    pub max_staleness_seconds: u64,
    /// How often the use of keys is written, in seconds, 1 to 3600, give or take a fifth.
    #[arg(long, env = "KEYWARD_USAGE_INTERVAL_SECONDS", value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub usage_interval_seconds: u64,
    /// How many objects a second may be written for it.
    #[arg(long, env = "KEYWARD_USAGE_WRITES_PER_SECOND", value_name = "NUMBER", default_value_t = NonZeroU32::new(50).unwrap_or(NonZeroU32::MIN))]
    pub usage_writes_per_second: NonZeroU32,
    /// What every process has.
    #[command(flatten)]
    pub process: ProcessArgs,
}

impl VerifierArgs {
    /// What the verifier's port may hold.
    pub fn bounds(&self) -> Bounds {
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Bounds {
            connections: number(self.max_connections),
            memory: number(self.request_memory_mib).saturating_mul(1024 * 1024),
            head: HEAD,
        }
    }
}

/// A network such as `10.0.0.0/8`, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| {
        format!("must be an address such as 10.1.2.3, or a network such as 10.0.0.0/8; it is '{text}'")
    })
}

/// Flags about the leader lease.
#[derive(Args, Clone, Debug)]
pub struct LeaseArgs {
    /// Work only while holding the leader lease. Two controllers at once break no limit, they only do work
    /// twice.
    #[arg(long, env = "KEYWARD_LEADER_ELECT", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub leader_elect: bool,
    /// Namespace of the Lease. Default: the namespace of the pod.
    #[arg(long, env = "KEYWARD_LEASE_NAMESPACE", value_name = "NAMESPACE")]
    pub lease_namespace: Option<String>,
    /// Name of the Lease.
    #[arg(long, env = "KEYWARD_LEASE_NAME", value_name = "NAME", default_value = "keyward-controller")]
    pub lease_name: String,
    /// How long a lease lasts without renewal, in seconds, 6 to 300. It is renewed when half of it has
    /// passed.
    #[arg(long, env = "KEYWARD_LEASE_SECONDS", value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(6..=300))]
    pub lease_seconds: u64,
}

impl LeaseArgs {
    /// [`Self::lease_seconds`] as a duration.
    pub fn duration(&self) -> Duration {
        Duration::from_secs(self.lease_seconds)
    }
}

/// Flags that every long-running process has.
#[derive(Args, Clone, Debug)]
pub struct ProcessArgs {
    /// Where to answer `/livez`, `/readyz` and `/metrics`.
    #[arg(long, env = "KEYWARD_HEALTH_ADDRESS", value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub health_address: SocketAddr,
    /// Form of the log lines, `json` or `text`. Audit lines are always JSON.
    #[arg(long, env = "KEYWARD_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// Which log lines to write, as `level` or `target=level,…`. Audit lines are always written.
    #[arg(long, env = "KEYWARD_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
    /// Name of this process in Events and the lease. Default: the host's name, which is the pod's.
    #[arg(long, env = "HOSTNAME", value_name = "NAME", default_value = "keyward")]
    pub instance: String,
}
