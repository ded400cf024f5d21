//! `Account.status.usageRecordedSince`: from then on, a key without `lastUsedAt` was never used, rather than
//! perhaps. Set once in each account, by whichever verifier comes first.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use crate::api::{ACCOUNT_NAME, API_VERSION, Account, Kind};
use crate::domain::value::time::rfc3339;
use crate::domain::verdict::FeedState;
use crate::runtime::client::{CallError, bounded};
use crate::verifier::usage::writer::{FIELD_MANAGER, Writer};

/// How long an account is taken to be as it was found. One that is deleted loses it.
const LOOK_AGAIN: Duration = Duration::from_mins(10);

/// Sets it where it is not set yet.
#[derive(Default)]
pub(super) struct RecordedSince {
    /// When it was found or set, by account.
    checked: HashMap<Arc<str>, Duration>,
}

impl RecordedSince {
    pub(super) async fn write(&mut self, writer: &Writer) {
        let checker = &writer.checker;
        if checker.freshness.state() != FeedState::Fresh {
            return;
        }
        let accounts = checker.index.accounts();
        let now = checker.clock.monotonic();
        self.checked.retain(|account, at| accounts.contains(account) && now.saturating_sub(*at) < LOOK_AGAIN);
        for account in accounts {
            if self.checked.contains_key(&account) {
                continue;
            }
            writer.turn().await;
            match set(writer, &account).await {
                Ok(()) => drop(self.checked.insert(account, checker.clock.monotonic())),
                // The controller creates it, or another verifier was faster.
                Err(error) if error.is_not_found() || error.is_conflict() => {}
                Err(error) => {
                    writer.failed(&error);
                    tracing::warn!(%error, account = &*account, "the begin of the record of use is not written yet");
                }
            }
        }
    }
}

async fn set(writer: &Writer, account: &Arc<str>) -> Result<(), CallError> {
    let accounts: Api<Account> = Api::namespaced(writer.client.clone(), account);
    let object = bounded("read account", accounts.get(ACCOUNT_NAME)).await?;
    if object.status.as_ref().is_some_and(|status| status.usage_recorded_since.is_some()) {
        return Ok(());
    }
    let body = json!({
        "apiVersion": API_VERSION,
        "kind": Kind::Account.as_str(),
        "metadata": {"name": ACCOUNT_NAME, "uid": object.uid(), "resourceVersion": object.resource_version()},
        "status": {"usageRecordedSince": rfc3339(writer.checker.clock.now())},
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    bounded("write account", accounts.patch_status(ACCOUNT_NAME, &params, &Patch::Apply(body)))
        .await
        .map(drop)
}
