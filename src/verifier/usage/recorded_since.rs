//! `Account.status.usageRecordedSince`: from then on, a key without `lastUsedAt` was never used, rather than perhaps. Set once
//! in each account, by whichever verifier comes first.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use crate::api::{ACCOUNT_NAME, API_VERSION, Account};
use crate::domain::value::time::rfc3339;
use crate::domain::verdict::Feed;
use crate::runtime::client::{CallError, bounded};
use crate::runtime::clock::now;
use crate::verifier::usage::flush::{FIELD_MANAGER, Flusher};

/// How long it is taken to stand as it was found. An account that is deleted loses it.
const LOOK_AGAIN: Duration = Duration::from_mins(10);

impl Flusher {
    pub(in crate::verifier) async fn write_recorded_since(&mut self) {
        if self.checker.contact.feed() != Feed::Fresh {
            return;
        }
        let accounts = self.checker.index.accounts();
        self.begun.retain(|account, looked| accounts.contains(account) && looked.elapsed() < LOOK_AGAIN);
        for account in accounts {
            if self.begun.contains_key(&account) {
                continue;
            }
            self.rate.until_ready().await;
            match self.begin(&account).await {
                Ok(()) => drop(self.begun.insert(account, Instant::now())),
                // The controller creates it, or another verifier was faster.
                Err(error) if error.is_not_found() || error.is_conflict() => {}
                Err(error) => {
                    self.checker.metrics.failed_write(error.reason());
                    tracing::warn!(%error, account = &*account, "the begin of the record of use is not written yet");
                }
            }
        }
    }

    async fn begin(&self, account: &Arc<str>) -> Result<(), CallError> {
        let accounts: Api<Account> = Api::namespaced(self.client.clone(), account);
        let object = bounded("read account", accounts.get(ACCOUNT_NAME)).await?;
        if object.status.as_ref().is_some_and(|status| status.usage_recorded_since.is_some()) {
            return Ok(());
        }
        let body = json!({
            "apiVersion": API_VERSION,
            "kind": "Account",
            "metadata": {"name": ACCOUNT_NAME, "uid": object.uid(), "resourceVersion": object.resource_version()},
            "status": {"usageRecordedSince": rfc3339(now())},
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        bounded("write account", accounts.patch_status(ACCOUNT_NAME, &params, &Patch::Apply(body)))
            .await
            .map(drop)
    }
}
