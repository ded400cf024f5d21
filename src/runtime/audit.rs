//! The one writer of audit entries: an Event on the object, and a JSON line on standard output under the
//! tracing target `audit`. The third place, the log in the object's status, is written with the status
//! itself.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};

use super::client::{CallError, bounded};
use super::metrics::Metrics;
use super::telemetry;
use crate::api::reason::{Reason, Severity};
use crate::api::shared::AuditEntry;
use crate::domain::audit;
use crate::domain::value::text::cut;
use crate::domain::value::time::precise;
use crate::runtime::clock::now;

/// Writes audit entries for one process.
#[derive(Clone)]
pub struct Audit {
    client: Client,
    source: Source,
    metrics: Metrics,
}

/// Who writes an Event.
#[derive(Clone, Debug)]
pub struct Source {
    /// Which program, as `reportingController` names it.
    pub controller: &'static str,
    /// Which of its processes.
    pub instance: String,
}

impl Audit {
    /// A writer whose Events come from `source`.
    pub fn new(client: Client, source: Source, metrics: Metrics) -> Self {
        Self { client, source, metrics }
    }

    /// Records `entry`, in an Event regarding `object` and in a line. An Event that cannot be written is
    /// logged and counted, but never holds up what it is about.
    pub async fn record(&self, entry: &AuditEntry, object: ObjectReference) {
        let AuditEntry { id, time, actor, action, object: target, key_id, reason, message, .. } = entry;
        tracing::info!(
            target: telemetry::AUDIT,
            id,
            at = %crate::domain::value::time::rfc3339(*time),
            actor,
            action,
            account = object.namespace,
            object = target,
            key_id,
            reason,
            "{message}"
        );
        self.metrics.audited(reason);
        if let Err(error) = self.publish(entry, object).await {
            self.metrics.api_error(error.reason());
            if !error.is_namespace_terminating() {
                tracing::warn!(%error, object = target, reason, "an audit event could not be written");
            }
        }
    }

    async fn publish(&self, entry: &AuditEntry, object: ObjectReference) -> Result<(), CallError> {
        let namespace = object.namespace.clone().unwrap_or_default();
        let event = self.source.event(entry, object);
        let events: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        match bounded("create event", events.create(&PostParams::default(), &event)).await {
            // A retry after a crash: it was recorded before.
            Err(error) if error.is_already_exists() => Ok(()),
            other => other.map(drop),
        }
    }
}

impl Source {
    /// The Event for `entry`, regarding `object`. The same entry gives an Event of the same name.
    pub fn event(&self, entry: &AuditEntry, object: ObjectReference) -> Event {
        let name = object.name.clone().unwrap_or_default();
        let severity = Reason::ALL
            .iter()
            .find(|reason| reason.as_str() == entry.reason)
            .map_or(Severity::Normal, |r| r.severity());
        Event {
            metadata: ObjectMeta {
                // Leaves room for the id within a name's 253 characters.
                name: Some(format!("{}.{}", name.get(..name.len().min(200)).unwrap_or_default(), entry.id)),
                namespace: object.namespace.clone(),
                ..ObjectMeta::default()
            },
            action: Some(entry.action.clone()),
            // Finer than the entry, so that events of one second keep their order.
            event_time: Some(precise(now())),
            note: Some(note(entry)),
            reason: Some(entry.reason.clone()),
            regarding: Some(object),
            reporting_controller: Some(self.controller.to_owned()),
            reporting_instance: Some(self.instance.chars().take(128).collect()),
            type_: Some(severity.as_str().to_owned()),
            ..Event::default()
        }
    }
}

/// What the entry says, and who did it where that was a user: an Event has no field for it.
fn note(entry: &AuditEntry) -> String {
    let AuditEntry { actor, message, .. } = entry;
    if audit::is_user(actor) { format!("{} (by {actor})", cut(message, 700)) } else { message.clone() }
}
