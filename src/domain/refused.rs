//! What of a plan could not be carried out in this pass, and why. A decision reads it to leave that step out,
//! so that a pass ends with a status that is true, whatever was refused. It is forgotten with the pass: the
//! next one tries again.

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::shared::{AuditEntry, RefusedWrite};
use crate::api::{ConditionType, Reason};
use crate::domain::audit::{self, Happening, Target};
use crate::domain::conditions::{Progress, Remark, Summary};

/// What a step of a plan writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A key's own Secret.
    Secret,
    /// The Secrets of `spec.publish`.
    Published,
    /// The access key itself.
    Key,
    /// The Role and the binding of a service account's admins.
    Admins,
    /// The binding of an account's super admins.
    SuperAdmins,
    /// The binding of an account's IAM admins.
    IamAdmins,
    /// The quota of an account.
    Quota,
    /// The account of a namespace.
    Account,
}

impl Step {
    /// The reason that says that it was refused.
    pub fn refused(self) -> Reason {
        match self {
            Self::Secret => Reason::SecretRefused,
            Self::Published => Reason::PublishRefused,
            Self::Key => Reason::DeletionRefused,
            Self::Admins | Self::SuperAdmins | Self::IamAdmins => Reason::AdminsRefused,
            Self::Quota => Reason::QuotaRefused,
            Self::Account => Reason::AccountRefused,
        }
    }
}

/// The steps that failed in this pass. One without a write had no answer that says why.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failed(Vec<(Step, Option<RefusedWrite>)>);

impl Failed {
    /// Adds a step that failed, with what the API server refused, where it did.
    pub fn note(&mut self, step: Step, refused: Option<RefusedWrite>) {
        self.0.push((step, refused));
    }

    /// Whether the step failed.
    pub fn has(&self, step: Step) -> bool {
        self.0.iter().any(|(failed, _)| *failed == step)
    }

    /// Why the step was refused, as a condition says it.
    pub fn why(&self, step: Step) -> Option<(Reason, String)> {
        self.0.iter().find(|(failed, _)| *failed == step)?.1.as_ref().and_then(told)
    }

    /// What was refused, for the status.
    pub fn recorded(&self) -> Vec<RefusedWrite> {
        self.0.iter().filter_map(|(_, refused)| refused.clone()).collect()
    }

    /// The condition beside the others.
    pub fn remark(&self) -> Option<Remark> {
        let (reason, message) = self.0.iter().filter_map(|(_, refused)| refused.as_ref()).find_map(told)?;
        Some(Remark { type_: ConditionType::WriteRefused, reason, message })
    }

    /// Whether that is the reason of what was refused.
    pub fn is_told_by(&self, reason: Reason) -> bool {
        self.remark().is_some_and(|said| said.reason == reason)
    }

    /// `summary`, with what was refused in place of "all is well".
    pub fn over(&self, summary: Summary) -> Summary {
        match self.remark().filter(|_| summary.ready()) {
            Some(Remark { reason, message, .. }) => {
                Summary { progress: Progress::Stalled, reason, message, ..summary }
            }
            None => summary,
        }
    }

    /// The conditions that say `summary`, and what was refused. Times of `before` are kept.
    pub fn conditions(
        &self,
        summary: &Summary,
        before: &[Condition],
        generation: i64,
        now: DateTime<Utc>,
    ) -> Vec<Condition> {
        let refused = self.remark().map(|said| said.condition(before, generation, now));
        summary.conditions(before, generation, now).into_iter().chain(refused).collect()
    }

    /// The entries for it, where `before` does not have it yet. Only the API server's words may differ.
    /// `since` tells repeats apart.
    pub fn news(
        &self,
        before: &[RefusedWrite],
        about: &Target,
        since: &str,
        now: DateTime<Utc>,
    ) -> Vec<AuditEntry> {
        let known = |write: &RefusedWrite| {
            before.iter().any(|old| (old.reason, &old.operation) == (write.reason, &write.operation))
        };
        let new = self.0.iter().filter_map(|(_, refused)| refused.as_ref()).filter(|write| !known(write));
        new.filter_map(told)
            .map(|(reason, message)| {
                let occurrence = format!("{since}/{message}");
                let (actor, object) = (audit::CONTROLLER.to_owned(), about.clone());
                Happening { reason, actor, object, key_id: None, message }.entry(&occurrence, now)
            })
            .collect()
    }
}

fn told(write: &RefusedWrite) -> Option<(Reason, String)> {
    let RefusedWrite { reason, operation, message } = write;
    Some(((*reason)?, format!("The API server refused to {operation}: {message}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;

    fn write(reason: Reason, operation: &str, message: &str) -> RefusedWrite {
        RefusedWrite { reason: Some(reason), operation: operation.into(), message: message.into() }
    }

    fn failed() -> Failed {
        let mut failed = Failed::default();
        failed.note(Step::Published, None);
        failed.note(Step::Secret, Some(write(Reason::SecretRefused, "create Secret", "exceeded quota")));
        failed
    }

    #[test]
    fn what_was_refused_is_named_with_verb_resource_and_the_api_servers_words() {
        let failed = failed();
        let said = "The API server refused to create Secret: exceeded quota".to_owned();
        assert_eq!(failed.why(Step::Secret), Some((Reason::SecretRefused, said.clone())));
        assert_eq!(failed.remark().map(|remark| remark.message), Some(said));
        assert!(failed.has(Step::Published) && !failed.has(Step::Admins));
        assert_eq!(failed.why(Step::Published), None, "there was no answer");
        assert_eq!(failed.recorded().len(), 1);
    }

    #[test]
    fn it_is_reported_once_however_the_words_change() {
        let about = Target { kind: Kind::AccessKey, name: "deploy".into(), uid: "uid".into() };
        let news = |before: &[RefusedWrite]| failed().news(before, &about, "1/", DateTime::UNIX_EPOCH);
        assert_eq!(news(&[]).len(), 1);
        let same = write(Reason::SecretRefused, "create Secret", "exceeded quota, used: 7");
        assert_eq!(news(&[same]), []);
        let another = write(Reason::PermissionDenied, "create Secret", "exceeded quota");
        assert_eq!(news(&[another]).len(), 1);
    }

    #[test]
    fn two_objects_that_are_refused_alike_have_an_entry_each() {
        let about = Target { kind: Kind::Account, name: "account".into(), uid: "uid".into() };
        let mut failed = Failed::default();
        for (step, name) in [(Step::SuperAdmins, "super-admins"), (Step::IamAdmins, "iam-admins")] {
            failed.note(step, Some(write(Reason::AdminsRefused, "create RoleBinding", name)));
        }
        let news = failed.news(&[], &about, "1/", DateTime::UNIX_EPOCH);
        assert_eq!(news.len(), 2);
        assert_ne!(news[0].id, news[1].id);
    }

    #[test]
    fn it_takes_the_place_of_what_is_well_and_of_nothing_else() {
        let summary = |progress| Summary {
            active: Some(true),
            progress,
            reason: Reason::Issued,
            message: "Issued.".into(),
        };
        assert_eq!(failed().over(summary(Progress::Settled)).reason, Reason::SecretRefused);
        assert_eq!(failed().over(summary(Progress::Stalled)).reason, Reason::Issued);
        assert_eq!(Failed::default().over(summary(Progress::Settled)).reason, Reason::Issued);
    }
}
