//! Which seals are good: follows the `ConfigMap` in which the controller makes its public keys known. It is
//! watched rather than mounted, so that a new key is known at once and not a minute later.

use std::pin::pin;

use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};

use crate::runtime::sealing::{NAME, Published};
use crate::verifier::index::Index;

/// Has the index believe what the `ConfigMap` in `namespace` says. Calls `changed` after each change, the
/// first one included. It never ends.
pub async fn follow(client: &Client, namespace: &str, index: &Index, changed: impl Fn()) {
    let config_maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let one = watcher::Config::default().fields(&format!("metadata.name={NAME}"));
    let mut events = pin!(watcher(config_maps, one).default_backoff());
    let mut known = None;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => match Published::read(&object) {
                Ok(published) if known.as_ref() == Some(&published) => {}
                Ok(published) => {
                    let (keys, demanded) = (published.keys.len(), published.sealed_since.is_some());
                    tracing::info!(keys, demanded, "the controller's public sealing keys");
                    index.set_trust(published.trust());
                    known = Some(published);
                    changed();
                }
                Err(error) => tracing::error!(%error, "what was believed before stays"),
            },
            Ok(Event::Delete(_)) => {
                tracing::error!(config_map = NAME, "it was deleted; what was believed before stays");
            }
            Ok(Event::InitDone) if known.is_none() => {
                tracing::warn!(
                    namespace,
                    config_map = NAME,
                    "no public sealing keys yet; every request is refused until a controller has started"
                );
            }
            Ok(Event::Init | Event::InitDone) => {}
            Err(error) => tracing::warn!(%error, "the public sealing keys cannot be watched; trying again"),
        }
    }
}
