//! What to record about a resource grant: whether its service account is there to have it.

use chrono::{DateTime, Utc};

use crate::api::ResourceGrantStatus;
use crate::api::reason::Reason;
use crate::domain::conditions::{Progress, Summary};
use crate::domain::object::Object;
use crate::domain::plan;
use crate::domain::value::time::whole_seconds;

/// Everything that the decision about one grant reads.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its metadata.
    pub object: Object,
    /// The service account it names.
    pub service_account: String,
    /// Whether that exists.
    pub exists: bool,
    /// What was recorded.
    pub status: ResourceGrantStatus,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Record it.
    WriteStatus(Box<ResourceGrantStatus>),
}

/// What to do about a resource grant. Time alone changes nothing about it.
pub type Plan = plan::Plan<Action>;

/// Decides. `now` is cut to whole seconds.
pub fn plan(observed: &Observed, now: DateTime<Utc>) -> Plan {
    let Observed { object, status: before, .. } = observed;
    let observed_generation = object.generation;
    let conditions =
        summary(observed).conditions(&before.conditions, observed_generation, whole_seconds(now));
    let status = ResourceGrantStatus { observed_generation, conditions };
    if status == *before { Plan::default() } else { Plan::only(Action::WriteStatus(Box::new(status))) }
}

fn summary(observed: &Observed) -> Summary {
    let Observed { object: Object { namespace, .. }, service_account, exists, .. } = observed;
    let name = format!("ServiceAccount.iam.keyward.dev \"{service_account}\"");
    let (reason, message) = if *exists {
        (Reason::Granted, format!("Granted to {name}"))
    } else {
        (Reason::ServiceAccountNotFound, format!("{name} not found in namespace \"{namespace}\""))
    };
    let progress = if *exists { Progress::Settled } else { Progress::Reconciling };
    Summary { active: None, progress, reason, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(exists: bool) -> Observed {
        Observed {
            object: Object {
                namespace: "team-a".into(),
                name: "claims".into(),
                uid: "grant-uid".into(),
                generation: 2,
                created: at(0),
                deleting: false,
                resource_version: "100".into(),
                changed_by: "alice".into(),
            },
            service_account: "ci".into(),
            exists,
            status: ResourceGrantStatus::default(),
        }
    }

    /// The status that is written, where one is; nothing else is planned.
    fn written(observed: &Observed, now: DateTime<Utc>) -> Option<ResourceGrantStatus> {
        let Plan { actions, look_again_at: None } = plan(observed, now) else {
            panic!("time changes nothing")
        };
        actions.into_iter().map(|Action::WriteStatus(status)| *status).next()
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn a_grant_is_ready_with_its_service_account_and_waits_for_one_that_is_not_there() {
        for (exists, states, message) in [
            (true, vec!["Ready=True"], "Granted to ServiceAccount.iam.keyward.dev \"ci\""),
            (
                false,
                vec!["Ready=False", "Reconciling=True"],
                "ServiceAccount.iam.keyward.dev \"ci\" not found in namespace \"team-a\"",
            ),
        ] {
            let status = written(&observed(exists), at(1)).unwrap();
            let found: Vec<_> =
                status.conditions.iter().map(|c| format!("{}={}", c.type_, c.status)).collect();
            assert_eq!(
                (found, status.conditions[0].message.as_str()),
                (states.iter().map(|s| (*s).to_owned()).collect(), message)
            );
            assert_eq!(status.observed_generation, 2);
        }
    }

    #[test]
    fn what_is_recorded_is_not_written_again() {
        let status = written(&observed(true), at(1)).unwrap();
        assert_eq!(written(&Observed { status, ..observed(true) }, at(9)), None);
    }
}
