//! `AccessKey.status.lastUsedAt`: only ever forward. Each write names the version that it is newer than, so
//! that of several verifiers none undoes another's; one that comes too late looks again at the next flush.

use std::sync::Arc;

use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::task::coop;

use crate::api::{API_VERSION, AccessKey, Kind};
use crate::domain::value::time::{at_second, rfc3339};
use crate::runtime::client::{CallError, bounded};
use crate::verifier::check::audit::repeated_use;
use crate::verifier::index::{Index, Key, KeyVersion};
use crate::verifier::usage::recorder::Used;
use crate::verifier::usage::writer::{FIELD_MANAGER, Writer};

/// Writes when keys were last used.
pub(super) struct LastUsed {
    used: Used,
    /// Keys whose use could not be written yet.
    again: Vec<(Arc<Key>, i64)>,
}

impl LastUsed {
    pub(super) fn new(used: Used) -> Self {
        Self { used, again: Vec::new() }
    }

    /// Whether nothing is left that could not be written yet.
    pub(super) fn is_done(&self) -> bool {
        self.again.is_empty()
    }

    pub(super) async fn write(&mut self, writer: &Writer) {
        let index = &writer.checker.index;
        let mut due = std::mem::take(&mut self.again);
        // Those that come in meanwhile are for the next flush.
        for _ in 0..self.used.len() {
            let Ok(key) = self.used.try_recv() else { break };
            // However many they are, others have their turn in between.
            coop::consume_budget().await;
            let (last, count) = index.take_usage(&key);
            // Taken already, with another token of the key.
            if count == 0 {
                continue;
            }
            repeated_use(&key, last, count);
            due.push((key, last));
        }
        for (key, last) in due {
            let Some(now) = current(index, &key).filter(|now| last > now.last_used) else { continue };
            writer.turn().await;
            match patch(writer, &now, last).await {
                Ok(()) => writer.checker.metrics.recorded(),
                Err(error) if error.is_not_found() => {}
                Err(error) => {
                    writer.failed(&error);
                    if !error.is_conflict() {
                        tracing::warn!(%error, account = &*key.holder.account, key = &*key.name, "last use is not written yet");
                    }
                    self.again.push((key, last));
                }
            }
        }
    }
}

/// The key as it is known now; `None` where it is gone.
fn current(index: &Index, key: &Key) -> Option<KeyVersion> {
    let now = index.key_named(&key.holder.account, &key.name)?;
    (now.key.uid == key.uid).then_some(now)
}

async fn patch(writer: &Writer, now: &KeyVersion, last: i64) -> Result<(), CallError> {
    let KeyVersion { key, resource_version, last_used: _ } = now;
    let body = json!({
        "apiVersion": API_VERSION,
        "kind": Kind::AccessKey.as_str(),
        "metadata": {"name": &*key.name, "uid": &*key.uid, "resourceVersion": resource_version},
        "status": {"lastUsedAt": rfc3339(at_second(last))},
    });
    let keys: Api<AccessKey> = Api::namespaced(writer.client.clone(), &key.holder.account);
    let params = PatchParams::apply(FIELD_MANAGER).force();
    bounded("write last use", keys.patch_status(&key.name, &params, &Patch::Apply(body))).await.map(drop)
}
