//! What to record about a resource grant: whether its service account is there to have it.

use chrono::{DateTime, Utc};

use crate::api::ResourceGrantStatus;
use crate::domain::audit::reason::Reason;
use crate::domain::conditions::{Progress, Summary};
use crate::domain::value::time::whole_seconds;

/// Everything that the decision about one grant reads.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its namespace.
    pub namespace: String,
    /// Its `metadata.generation`.
    pub generation: i64,
    /// The service account it names.
    pub service_account: String,
    /// Whether that exists.
    pub exists: bool,
    /// What was recorded.
    pub status: ResourceGrantStatus,
}

/// The status to write, where it differs from the one recorded. `now` is cut to whole seconds.
pub fn plan(observed: &Observed, now: DateTime<Utc>) -> Option<ResourceGrantStatus> {
    let Observed { generation, status: before, .. } = observed;
    let conditions = summary(observed).conditions(&before.conditions, *generation, whole_seconds(now));
    let status = ResourceGrantStatus { observed_generation: *generation, conditions };
    (status != *before).then_some(status)
}

fn summary(observed: &Observed) -> Summary {
    let Observed { namespace, service_account, exists, .. } = observed;
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
            namespace: "team-a".into(),
            generation: 2,
            service_account: "ci".into(),
            exists,
            status: ResourceGrantStatus::default(),
        }
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
            let status = plan(&observed(exists), at(1)).unwrap();
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
        let status = plan(&observed(true), at(1)).unwrap();
        assert_eq!(plan(&Observed { status, ..observed(true) }, at(9)), None);
    }
}
