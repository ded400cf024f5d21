//! `AccessKey.status.lastUsedAt`: only ever forward. Each write names the version that it is newer than, so that of several
//! verifiers none undoes another's; one that comes too late looks again at the next flush.

use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::api::{API_VERSION, AccessKey};
use crate::domain::value::time::{at_second, rfc3339};
use crate::runtime::client::{CallError, bounded};
use crate::verifier::check::audit::used;
use crate::verifier::index::{Key, Seen};
use crate::verifier::usage::flush::{FIELD_MANAGER, Flusher};

impl Flusher {
    pub(in crate::verifier) async fn write_last_used(&mut self) {
        let mut due = std::mem::take(&mut self.again);
        // Those that come in meanwhile are for the next flush.
        for _ in 0..self.used.len() {
            let Ok(key) = self.used.try_recv() else { break };
            let (last, count) = self.checker.index.take_usage(&key);
            // Taken already, with another token of the key.
            if count == 0 {
                continue;
            }
            used(&key, last, count);
            due.push((key, last));
        }
        for (key, last) in due {
            let Some(now) = self.current(&key).filter(|now| last > now.recorded) else { continue };
            self.rate.until_ready().await;
            match self.write(&now, last).await {
                Ok(()) => self.checker.metrics.recorded(),
                Err(error) if error.is_not_found() => {}
                Err(error) => {
                    self.checker.metrics.failed_write(error.reason());
                    if !error.is_conflict() {
                        tracing::warn!(%error, account = &*key.holder.account, key = &*key.name, "last use is not written yet");
                    }
                    self.again.push((key, last));
                }
            }
        }
    }

    /// The key as it is known now; `None` where it is gone.
    fn current(&self, key: &Key) -> Option<Seen> {
        let now = self.checker.index.key_named(&key.holder.account, &key.name)?;
        (now.key.uid == key.uid).then_some(now)
    }

    async fn write(&self, Seen { key, resource_version, .. }: &Seen, last: i64) -> Result<(), CallError> {
        let body = json!({
            "apiVersion": API_VERSION,
            "kind": "AccessKey",
            "metadata": {"name": &*key.name, "uid": &*key.uid, "resourceVersion": resource_version},
            "status": {"lastUsedAt": rfc3339(at_second(last))},
        });
        let keys: Api<AccessKey> = Api::namespaced(self.client.clone(), &key.holder.account);
        let params = PatchParams::apply(FIELD_MANAGER).force();
        bounded("write last use", keys.patch_status(&key.name, &params, &Patch::Apply(body))).await.map(drop)
    }
}
