//! Flags and environment of the processes.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::telemetry::LogFormat;

/// Flags of `keyward controller`.
#[derive(Args, Clone, Debug)]
pub struct ControllerArgs {
    /// Watch this namespace only. Default: all namespaces.
    #[arg(long, env = "KEYWARD_NAMESPACE", value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// How many objects of a kind are worked on at once.
    #[arg(long, env = "KEYWARD_CONCURRENCY", value_name = "NUMBER", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,
    /// Take the annotation `iam.keyward.dev/changed-by` for the name of the user who changed an object. Only where the
    /// chart's admission policy stamps it: anybody could write it otherwise.
    #[arg(long, env = "KEYWARD_TRUST_CHANGED_BY", value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set)]
    pub trust_changed_by: bool,
    /// Keep a `ResourceQuota` in each account's namespace, so that one service account too many is refused at once.
    #[arg(long, env = "KEYWARD_RESOURCE_QUOTAS", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub resource_quotas: bool,
    /// The leader lease.
    #[command(flatten)]
    pub lease: LeaseArgs,
    /// What every process has.
    #[command(flatten)]
    pub process: ProcessArgs,
}

/// Flags about the leader lease.
#[derive(Args, Clone, Debug)]
pub struct LeaseArgs {
    /// Work only while holding the leader lease. Two controllers at once break no limit, they only do work twice.
    #[arg(long, env = "KEYWARD_LEADER_ELECT", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub leader_elect: bool,
    /// Namespace of the Lease. Default: the namespace of the pod.
    #[arg(long, env = "KEYWARD_LEASE_NAMESPACE", value_name = "NAMESPACE")]
    pub lease_namespace: Option<String>,
    /// Name of the Lease.
    #[arg(long, env = "KEYWARD_LEASE_NAME", value_name = "NAME", default_value = "keyward-controller")]
    pub lease_name: String,
    /// How long a lease lasts without renewal, in seconds. It is renewed when half of it has passed.
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
    /// Form of the log lines.
    #[arg(long, env = "KEYWARD_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// Which log lines to write, as `level` or `target=level,…`. Audit lines are always written.
    #[arg(long, env = "KEYWARD_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
    /// Name of this process in Events and the lease. Default: the host's name, which is the pod's.
    #[arg(long, env = "HOSTNAME", value_name = "NAME", default_value = "keyward")]
    pub instance: String,
}
