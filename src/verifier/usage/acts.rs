//! What keys did on behalf of users: folded into their service account's log, and reported as one Event a day
//! that counts.

use std::collections::HashSet;

use k8s_openapi::api::events::v1::{Event, EventSeries};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Resource as _, ResourceExt as _};
use serde_json::json;

use crate::api::ServiceAccount;
use crate::api::shared::AuditEntry;
use crate::domain::audit::acting::{fold, times};
use crate::domain::value::time::precise;
use crate::runtime::audit::Source;
use crate::runtime::client::{CallError, bounded};
use crate::verifier::usage::pending::{ActsOfLog, LogOwner};
use crate::verifier::usage::writer::{FIELD_MANAGER, Writer};

/// How often a log is read again because someone else wrote it meanwhile, before the next flush tries.
const TRIES: usize = 5;

/// Writes acts.
pub(super) struct Acts {
    source: Source,
}

/// A service account, and those entries of its log that are new or have changed.
type Written = (ServiceAccount, Vec<AuditEntry>);

impl Acts {
    /// Acts whose Events come from `source`.
    pub(super) fn new(source: Source) -> Self {
        Self { source }
    }

    /// Writes the acts of every service account that waits now, one after the other: those that come
    /// meanwhile are for the next flush.
    pub(super) async fn write(&self, writer: &Writer) {
        let recorder = &writer.checker.recorder;
        for _ in 0..recorder.logs() {
            writer.turn().await;
            let Some((owner, acts)) = recorder.take_acts() else { break };
            match write_log(writer, &owner, &acts).await {
                Ok(written) => self.report(writer, written).await,
                Err(error) => {
                    let (account, service_account) = (&*owner.account, &*owner.service_account);
                    writer.failed(&error);
                    tracing::warn!(%error, account, service_account, "what keys did on behalf of persons is not written yet");
                    if !error.is_not_found() {
                        recorder.put_back(&owner, acts);
                    }
                }
            }
        }
    }

    async fn report(&self, writer: &Writer, written: Option<Written>) {
        let Some((object, entries)) = written else { return };
        for entry in entries {
            writer.turn().await;
            if let Err(error) = self.publish(writer, &object, &entry).await {
                writer.failed(&error);
                tracing::warn!(%error, object = entry.object, "an event could not be written");
            }
        }
    }

    /// Creates the entry's Event, or has the one that is there count on.
    async fn publish(
        &self,
        writer: &Writer,
        object: &ServiceAccount,
        entry: &AuditEntry,
    ) -> Result<(), CallError> {
        let events: Api<Event> =
            Api::namespaced(writer.client.clone(), &object.namespace().unwrap_or_default());
        let mut event = self.source.event(entry, object.object_ref(&()));
        let name = event.name_any();
        let count = times(entry);
        // A series begins with the second time, which may have come before the first was reported.
        if count > 1 {
            let series = EventSeries { count, last_observed_time: precise(entry.time) };
            let patch = Patch::Merge(json!({"series": series}));
            event.series = Some(series);
            match bounded("patch event", events.patch(&name, &PatchParams::default(), &patch)).await {
                Err(error) if error.is_not_found() => {}
                other => return other.map(drop),
            }
        }
        let params = PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() };
        match bounded("create event", events.create(&params, &event)).await {
            Err(error) if error.is_already_exists() => Ok(()),
            other => other.map(drop),
        }
    }
}

/// Folds `acts` into the log of their service account; gives it with the entries as the log has them now.
async fn write_log(
    writer: &Writer,
    owner: &LogOwner,
    acts: &ActsOfLog,
) -> Result<Option<Written>, CallError> {
    let objects: Api<ServiceAccount> = Api::namespaced(writer.client.clone(), &owner.account);
    let entries = entries(owner, acts);
    let mut tries = 0;
    loop {
        tries += 1;
        let object = bounded("read service account", objects.get(&owner.service_account)).await?;
        // Another of the same name has nothing to do with them.
        if object.uid().as_deref() != Some(&*owner.uid) {
            return Ok(None);
        }
        let before = object.status.as_ref().map(|status| status.audit_log.as_slice()).unwrap_or_default();
        let log = fold(before, &entries);
        let body = json!({
            "metadata": {"resourceVersion": object.resource_version()},
            "status": {"auditLog": log},
        });
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
        let patch = Patch::Merge(body);
        match bounded("write audit log", objects.patch_status(&owner.service_account, &params, &patch)).await
        {
            Ok(_) => {
                let ids: HashSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
                let folded = log.into_iter().filter(|kept| ids.contains(kept.id.as_str()));
                return Ok(Some((object, folded.collect())));
            }
            Err(error) if error.is_conflict() && tries < TRIES => {}
            Err(error) => return Err(error),
        }
    }
}

/// What the log is to say of `acts`, the oldest first.
fn entries(owner: &LogOwner, acts: &ActsOfLog) -> Vec<AuditEntry> {
    let listed = acts.listed.iter().map(|(act, repeats)| act.entry(*repeats));
    let others = acts.others(owner).map(|(others, repeats)| others.entry(repeats));
    let mut entries: Vec<AuditEntry> = listed.chain(others).collect();
    entries.sort_by(|one, other| (one.time, &one.id).cmp(&(other.time, &other.id)));
    entries
}
