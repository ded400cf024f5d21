//! The flags that every command takes, as kubectl's own users expect them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use hyper_util::client::proxy::matcher::Matcher;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};

use crate::kubectl::cluster::client::Cluster;
use crate::kubectl::error::Error;
use crate::kubectl::input::span::seconds;
use crate::runtime::telemetry::with_causes;

/// Flags of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Flags of every command")]
pub struct Globals {
    /// The namespace, which is the account. Default: that of the context.
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// The context of the kubeconfig. Default: the current one.
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// The kubeconfig. Default: `KUBECONFIG`, or ~/.kube/config.
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The user to act as.
    #[arg(long = "as", global = true, value_name = "USER")]
    pub as_user: Option<String>,
    /// A group to act as; may be given several times.
    #[arg(long, global = true, value_name = "GROUP")]
    pub as_group: Vec<String>,
    /// How long the cluster may take for an answer, such as 30s.
    #[arg(long, global = true, value_name = "SPAN", default_value = "30s", value_parser = seconds)]
    pub request_timeout: Duration,
    /// When to use colours.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Also where there is none.
    Always,
    /// Not at all.
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::AlwaysAnsi,
            Color::Never => Self::Never,
        }
    }
}

impl Globals {
    /// The cluster, as these flags and the kubeconfig name it.
    ///
    /// # Errors
    /// Where there is no configuration, or it cannot be used.
    pub async fn connect(&self) -> Result<Cluster, Error> {
        let config = self.config().await?;
        let namespace = self.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        Cluster::new(config, namespace, self.request_timeout)
    }

    /// The namespace, also where there is no cluster.
    pub async fn namespace(&self) -> Result<String, Error> {
        match &self.namespace {
            Some(namespace) => Ok(namespace.clone()),
            None => match self.config().await {
                Ok(config) => Ok(config.default_namespace),
                Err(_) if self.kubeconfig.is_none() && self.context.is_none() => Ok("default".into()),
                Err(error) => Err(error),
            },
        }
    }

    async fn config(&self) -> Result<Config, Error> {
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let read = match &self.kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let named = self.kubeconfig.is_some() || self.context.is_some();
        let mut config = match read {
            Ok(kubeconfig) => {
                let own_proxy = own_proxy(&kubeconfig, self.context.as_ref());
                let contexts: Vec<String> =
                    kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
                let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
                    .await
                    .map_err(|error| Error::Config(unusable(&error, &contexts)))?;
                if !own_proxy && Matcher::from_env().intercept(&config.cluster_url).is_none() {
                    config.proxy_url = None;
                }
                config
            }
            // In a pod there is none.
            Err(error) => match Config::incluster() {
                Ok(config) if !named => config,
                _ => return Err(Error::Config(none_to_be_read(&error))),
            },
        };
        config.default_retry = false;
        config.connect_timeout = Some(self.request_timeout);
        if self.as_user.is_some() {
            config.auth_info.impersonate.clone_from(&self.as_user);
        }
        if !self.as_group.is_empty() {
            config.auth_info.impersonate_groups = Some(self.as_group.clone());
        }
        Ok(config)
    }
}

/// Whether the kubeconfig names a proxy for the cluster, which counts more than what the environment says.
fn own_proxy(kubeconfig: &Kubeconfig, context: Option<&String>) -> bool {
    let context = context.or(kubeconfig.current_context.as_ref());
    let context = kubeconfig.contexts.iter().find(|named| Some(&named.name) == context);
    let cluster = context.and_then(|named| named.context.as_ref()).map(|context| &context.cluster);
    let cluster = kubeconfig.clusters.iter().find(|named| Some(&named.name) == cluster);
    let proxy =
        cluster.and_then(|named| named.cluster.as_ref()).and_then(|cluster| cluster.proxy_url.as_ref());
    proxy.is_some_and(|proxy| !proxy.is_empty())
}

fn none_to_be_read(error: &KubeconfigError) -> String {
    format!(
        "no cluster is configured: set KUBECONFIG or --kubeconfig, or make ~/.kube/config ({})",
        with_causes(error)
    )
}

fn unusable(error: &KubeconfigError, contexts: &[String]) -> String {
    match error {
        KubeconfigError::LoadContext(name) if !name.is_empty() => {
            let known = if contexts.is_empty() { "none".to_owned() } else { contexts.join(", ") };
            format!("the kubeconfig has no context \"{name}\"; it has: {known}")
        }
        KubeconfigError::CurrentContextNotSet | KubeconfigError::LoadContext(_) => {
            "no cluster is chosen: set --context, or the current one with: kubectl config use-context NAME"
                .into()
        }
        error => format!("the kubeconfig cannot be used: {}", with_causes(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_that_is_not_there_is_named_with_those_that_are() {
        let error = KubeconfigError::LoadContext("prod".into());
        let contexts = ["dev".to_owned(), "stage".to_owned()];
        assert_eq!(unusable(&error, &contexts), "the kubeconfig has no context \"prod\"; it has: dev, stage");
        for error in [KubeconfigError::CurrentContextNotSet, KubeconfigError::LoadContext(String::new())] {
            assert_eq!(
                unusable(&error, &contexts),
                "no cluster is chosen: set --context, or the current one with: kubectl config use-context NAME"
            );
        }
    }
}
