//! Waits until the controller is done, or says that only the user can help.

use std::time::Duration;

use clap::Args;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::{AccessKey, ConditionType, ServiceAccount};
use crate::kubectl::cluster::client::Cluster;
use crate::kubectl::cluster::follow::Follow;
use crate::kubectl::cluster::object::{NamespacedObject, reference};
use crate::kubectl::error::Error;
use crate::kubectl::input::span::seconds;

/// Flags of every command that waits.
#[derive(Args, Clone, Copy, Debug)]
pub struct WaitArgs {
    /// Wait until it is done.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub wait: bool,
    /// How long to wait at most, such as 30s.
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = seconds)]
    pub timeout: Duration,
}

/// What has conditions.
pub trait Conditioned: NamespacedObject {
    /// The `metadata.generation` that the conditions are of, and the conditions.
    fn conditions(&self) -> (i64, &[Condition]);
}

impl Conditioned for AccessKey {
    fn conditions(&self) -> (i64, &[Condition]) {
        self.status.as_ref().map_or((-1, &[]), |status| (status.observed_generation, &status.conditions))
    }
}

impl Conditioned for ServiceAccount {
    fn conditions(&self) -> (i64, &[Condition]) {
        self.status.as_ref().map_or((-1, &[]), |status| (status.observed_generation, &status.conditions))
    }
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Done.
    Ready,
    /// It goes no further until a user does something; why.
    Stalled(String),
    /// Under way; why it is not done yet.
    Waiting(String),
}

/// How far the controller is with `object`.
pub fn progress<K: Conditioned>(object: &K) -> Progress {
    let (observed, conditions) = object.conditions();
    if Some(observed) != object.meta().generation {
        return Progress::Waiting("no controller has looked at it yet; is one running?".into());
    }
    let ready = ConditionType::Ready.find(conditions);
    let why = ready.map(|ready| format!("{} ({})", ready.message, ready.reason)).unwrap_or_default();
    match () {
        () if ConditionType::Ready.is_true(conditions) => Progress::Ready,
        () if ConditionType::Stalled.is_true(conditions) => Progress::Stalled(why),
        () => Progress::Waiting(why),
    }
}

impl WaitArgs {
    /// Waits until `object` is ready and `holds` says so too.
    ///
    /// # Errors
    /// Where it will not be, does not become so in time, or is deleted meanwhile.
    pub async fn until<K: Conditioned>(
        self,
        cluster: &Cluster,
        object: &K,
        holds: impl Fn(&K) -> bool,
    ) -> Result<K, Error> {
        let name = object.meta().name.clone().unwrap_or_default();
        let mut follow = Follow::<K>::new(cluster, &name);
        let mut why = String::from("nothing was heard of it");
        let waiting = async {
            while let Some(object) = follow.next().await? {
                match progress(&object) {
                    Progress::Ready if holds(&object) => return Ok(object),
                    Progress::Ready => "the controller is still at work".clone_into(&mut why),
                    Progress::Stalled(why) => {
                        return Err(Error::Refused(format!("{} is not ready: {why}", reference(&object))));
                    }
                    Progress::Waiting(reason) => why = reason,
                }
            }
            Err(Error::Refused(format!("{} was deleted meanwhile", reference(object))))
        };
        match tokio::time::timeout(self.timeout, waiting).await {
            Ok(ended) => ended,
            Err(_) => Err(Error::Refused(format!(
                "{} is not ready within {} seconds: {why}",
                reference(object),
                self.timeout.as_secs()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(generation: i64, conditions: &[(&str, &str)]) -> AccessKey {
        let condition = |(type_, status): &(&str, &str)| {
            json!({
                "type": type_, "status": status, "reason": "KeyLimitExceeded", "message": "full",
                "lastTransitionTime": "2026-11-23T00:00:00Z",
            })
        };
        serde_json::from_value(json!({
            "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey",
            "metadata": {"name": "deploy", "generation": generation}, "spec": {"serviceAccountName": "ci"},
            "status": {
                "observedGeneration": 1, "conditions": conditions.iter().map(condition).collect::<Vec<_>>(),
            },
        }))
        .unwrap()
    }

    #[test]
    fn it_is_waited_for_until_it_is_ready_or_only_a_user_can_help() {
        let unseen = Progress::Waiting("no controller has looked at it yet; is one running?".into());
        for (generation, conditions, expected) in [
            (1, &[("Ready", "True")][..], Progress::Ready),
            // What is ready is the object as it was before the change.
            (2, &[("Ready", "True")], unseen.clone()),
            (
                1,
                &[("Ready", "False"), ("Stalled", "True")],
                Progress::Stalled("full (KeyLimitExceeded)".into()),
            ),
            (
                1,
                &[("Ready", "False"), ("Reconciling", "True")],
                Progress::Waiting("full (KeyLimitExceeded)".into()),
            ),
        ] {
            assert_eq!(progress(&key(generation, conditions)), expected);
        }
        let fresh = AccessKey::new("x", serde_json::from_value(json!({"serviceAccountName": "ci"})).unwrap());
        assert_eq!(progress(&fresh), unseen);
    }
}
