//! Conditions: output only. What a decision needs is a status field of its own, so nothing here reads a
//! reason or a message back.

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::{ConditionType, Reason};
use crate::domain::value::time::to_kube;

/// Whether work is under way or only a user can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Neither: what is asked for holds.
    Settled,
    /// Work is under way: `Reconciling` is True.
    Reconciling,
    /// Only a user can help: `Stalled` is True.
    Stalled,
}

/// What the conditions of an object say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// It authenticates; `None` for a kind that cannot.
    pub active: Option<bool>,
    /// Whether it will change by itself.
    pub progress: Progress,
    /// Why.
    pub reason: Reason,
    /// Why, as a sentence.
    pub message: String,
}

impl Summary {
    /// Whether what is asked for holds. Where it does not, there is always one of the two that tell tools
    /// whether to wait.
    pub fn ready(&self) -> bool {
        self.progress == Progress::Settled
    }

    /// The conditions. `Ready` stands first; `Reconciling` and `Stalled` exist only while True, as kstatus
    /// wants it. A `lastTransitionTime` of `before` is kept while the condition's status is the same.
    pub fn conditions(&self, before: &[Condition], generation: i64, now: DateTime<Utc>) -> Vec<Condition> {
        let Self { active, progress, reason, message } = self;
        let mut wanted = vec![(ConditionType::Ready, self.ready())];
        wanted.extend(active.map(|active| (ConditionType::Active, active)));
        match progress {
            Progress::Settled => {}
            Progress::Reconciling => wanted.push((ConditionType::Reconciling, true)),
            Progress::Stalled => wanted.push((ConditionType::Stalled, true)),
        }
        let condition = |(type_, is_true)| {
            let said = Said { type_, is_true, reason: *reason, message };
            said.condition(before, generation, now)
        };
        wanted.into_iter().map(condition).collect()
    }
}

/// A condition that is only there while it is True, and says something beside the [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Its type.
    pub type_: ConditionType,
    /// Why.
    pub reason: Reason,
    /// Why, as a sentence.
    pub message: String,
}

impl Remark {
    /// The condition. A `lastTransitionTime` of `before` is kept.
    pub fn condition(&self, before: &[Condition], generation: i64, now: DateTime<Utc>) -> Condition {
        let Self { type_, reason, message } = self;
        Said { type_: *type_, is_true: true, reason: *reason, message }.condition(before, generation, now)
    }
}

struct Said<'a> {
    type_: ConditionType,
    is_true: bool,
    reason: Reason,
    message: &'a str,
}

impl Said<'_> {
    fn condition(self, before: &[Condition], generation: i64, now: DateTime<Utc>) -> Condition {
        let Self { type_, is_true, reason, message } = self;
        let type_ = type_.as_str();
        let status = if is_true { "True" } else { "False" };
        let unchanged = before.iter().find(|old| old.type_ == type_ && old.status == status);
        Condition {
            type_: type_.into(),
            status: status.into(),
            reason: reason.as_str().into(),
            message: message.into(),
            observed_generation: Some(generation),
            last_transition_time: unchanged
                .map_or_else(|| to_kube(now), |old| old.last_transition_time.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn summary(progress: Progress) -> Summary {
        Summary { active: Some(true), progress, reason: Reason::Issued, message: "Issued.".into() }
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn a_transition_time_moves_only_with_the_status() {
        let first = summary(Progress::Settled).conditions(&[], 1, at(10));
        let same = summary(Progress::Settled).conditions(&first, 2, at(20));
        let changed = summary(Progress::Stalled).conditions(&same, 2, at(30));
        assert_eq!(same[0].last_transition_time, to_kube(at(10)));
        assert_eq!(same[0].observed_generation, Some(2));
        assert_eq!(changed[0].last_transition_time, to_kube(at(30)));
    }

    #[test]
    fn what_is_not_ready_is_either_under_way_or_needs_a_person_and_both_exist_only_while_true() {
        let types = |progress| {
            let conditions = summary(progress).conditions(&[], 1, at(1));
            conditions.into_iter().map(|c| format!("{}={}", c.type_, c.status)).collect::<Vec<_>>()
        };
        assert_eq!(types(Progress::Settled), ["Ready=True", "Active=True"]);
        assert_eq!(types(Progress::Reconciling), ["Ready=False", "Active=True", "Reconciling=True"]);
        assert_eq!(types(Progress::Stalled), ["Ready=False", "Active=True", "Stalled=True"]);
    }

    /// Those that were written before are read for their times, where the new ones are made, and nowhere
    /// else.
    #[test]
    fn no_decision_reads_a_condition_back() {
        let domain = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain");
        let mut made = 0;
        for file in sources(&domain) {
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            made += code.matches("&before.conditions,").count();
            let rest = code.replace("&before.conditions,", "").replace(".conditions(", "");
            assert!(!rest.contains(".conditions"), "{} reads conditions", file.display());
        }
        assert!(made >= 4, "the decisions are somewhere else: {made}");
    }

    /// The files of a folder, without tests and without this one.
    fn sources(folder: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if path.ends_with("tests") => {}
                true => files.extend(sources(&path)),
                false if path.ends_with("conditions.rs") => {}
                false => files.push(path),
            }
        }
        files
    }
}
