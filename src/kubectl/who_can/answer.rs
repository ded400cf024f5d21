//! Who may do what, out of RBAC and of whom the objects name.

use std::collections::BTreeMap;

use kube::ResourceExt as _;
use serde::Serialize;

use super::super::table::{Cell, Table, Tone};
use super::look::{Seen, You};
use super::rbac::{Rights, Target, Unresolved, Who};
use crate::api::shared::Subject;

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    namespace: String,
    service_account: String,
    /// The Secrets that hold its tokens.
    secrets: Vec<String>,
    subjects: Vec<Row>,
    /// What may not be seen, so that someone may be missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_seen: Vec<String>,
    /// What the person who asks may do, where not everything may be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    you: Option<OwnRights>,
}

/// What one may do.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    subject: String,
    manage: bool,
    reveal: bool,
    /// The Secrets with tokens that they may read.
    secrets: Vec<String>,
    /// What the objects name them as.
    #[serde(rename = "as")]
    named: Vec<String>,
    /// The bindings that give it.
    through: Vec<String>,
    #[serde(skip)]
    is_system: bool,
    #[serde(skip)]
    every_secret: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OwnRights {
    user: String,
    manage: bool,
    reveal: bool,
    secrets: Vec<String>,
}

/// The answer out of what was seen.
pub(super) fn answer(seen: &Seen) -> Answer {
    let Seen { namespace, service_account, account: _, secrets, rbac, unseen, you } = seen;
    let name = service_account.name_any();
    let (mut found, unresolved) = rbac.who(&Target { service_account: &name, secrets });
    let bindings_seen = !unseen.contains(&"rolebindings");
    let mut named: BTreeMap<Who, Vec<String>> = BTreeMap::new();
    for Named { who, role, is_bound, reveals } in named_in(seen) {
        let rights = found.entry(who.clone()).or_default();
        // Where bindings cannot be seen, the controller's word is all there is.
        if !bindings_seen && is_bound {
            let secrets = if reveals { secrets.iter().cloned().collect() } else { Rights::default().secrets };
            rights.add(Rights { manage: true, reveal: reveals, secrets, ..Rights::default() });
        }
        let remark = if is_bound { "" } else { ", not bound yet" };
        named.entry(who).or_default().push(format!("{role}{remark}"));
    }
    let row = |(who, rights): (Who, Rights)| {
        let Rights { manage, reveal, secrets, every_secret, through } = rights;
        Row {
            subject: who.label(),
            manage,
            reveal,
            secrets: secrets.into_iter().collect(),
            named: named.get(&who).cloned().unwrap_or_default(),
            through: through.into_iter().collect(),
            is_system: who.is_system(),
            every_secret,
        }
    };
    let you =
        you.clone().map(|You { user, manage, reveal, secrets }| OwnRights { user, manage, reveal, secrets });
    Answer {
        namespace: namespace.clone(),
        service_account: name.clone(),
        secrets: secrets.clone(),
        subjects: found.into_iter().map(row).collect(),
        not_seen: unseen.iter().map(ToString::to_string).chain(unresolved.iter().map(unclear)).collect(),
        you,
    }
}

/// That a binding gives something which may not be seen.
fn unclear(unresolved: &Unresolved) -> String {
    let Unresolved { binding, role, subjects } = unresolved;
    let subjects: Vec<String> = subjects.iter().map(Who::label).collect();
    format!("what {binding} gives to {}: the cluster role \"{role}\"", subjects.join(", "))
}

/// Someone whom the service account or its account names.
struct Named {
    who: Who,
    role: &'static str,
    is_bound: bool,
    reveals: bool,
}

fn named_in(seen: &Seen) -> Vec<Named> {
    let spec = &seen.service_account.spec;
    let status = seen.service_account.status.as_ref();
    let account = seen.account.as_ref();
    let account_status = account.and_then(|account| account.status.as_ref());
    let mut named = Vec::new();
    let mut add = |wanted: Option<&Vec<Subject>>, bound: Option<&Vec<Subject>>, role, reveals| {
        named.extend(wanted.into_iter().flatten().map(|subject| Named {
            who: subject.into(),
            role,
            is_bound: bound.is_some_and(|bound| bound.contains(subject)),
            reveals,
        }));
    };
    add(spec.admins.as_ref(), status.map(|status| &status.admins), "admin", true);
    let account_spec = account.map(|account| &account.spec);
    add(
        account_spec.and_then(|spec| spec.super_admins.as_ref()),
        account_status.map(|status| &status.super_admins),
        "super admin",
        false,
    );
    add(
        account_spec.and_then(|spec| spec.iam_admins.as_ref()),
        account_status.map(|status| &status.iam_admins),
        "IAM admin",
        false,
    );
    named
}

impl Answer {
    /// For people.
    pub(super) fn table(&self, wide: bool) -> String {
        let mut table = Table::new(["SUBJECT", "MANAGE", "REVEAL", "READ TOKENS", "AS", "THROUGH"]);
        let shown: Vec<&Row> = self.subjects.iter().filter(|row| wide || !row.is_system).collect();
        for row in &shown {
            table.row(self.row(row));
        }
        if shown.is_empty() { "Nobody that can be seen.\n".into() } else { table.to_string() }
    }

    fn row(&self, row: &Row) -> Vec<Cell> {
        let yes = |yes: bool| if yes { Cell::new(Tone::Good, "yes") } else { Cell::new(Tone::Faint, "no") };
        let list = |list: &[String]| if list.is_empty() { "-".to_owned() } else { list.join(", ") };
        let tokens = self.tokens(&row.secrets, row.every_secret);
        vec![
            row.subject.as_str().into(),
            yes(row.manage),
            yes(row.reveal),
            Cell::new(if tokens == "no" { Tone::Faint } else { Tone::Warn }, &tokens),
            list(&row.named).into(),
            list(&row.through).into(),
        ]
    }

    /// Which tokens someone may read who may read these Secrets.
    fn tokens(&self, secrets: &[String], every_secret: bool) -> String {
        match secrets {
            _ if every_secret => "all".into(),
            [] => "no".into(),
            some if some.len() == self.secrets.len() => "all".into(),
            some => some.join(", "),
        }
    }

    /// What else there is to know.
    pub(super) fn remarks(&self, wide: bool) -> Vec<String> {
        let mut lines = Vec::new();
        let hidden = self.subjects.iter().filter(|row| row.is_system).count();
        if hidden > 0 && !wide {
            lines.push(format!("Left out are {hidden} parts of Kubernetes itself; -o wide shows them."));
        }
        if !self.not_seen.is_empty() {
            lines.push(format!(
                "Someone may be missing, since you may not see: {}.",
                self.not_seen.join("; ")
            ));
        }
        if let Some(OwnRights { user, manage, reveal, secrets }) = &self.you {
            let may = |may: &bool| if *may { "yes" } else { "no" };
            lines.push(format!(
                "You yourself ({user}): manage {}, reveal {}, read tokens: {}",
                may(manage),
                may(reveal),
                self.tokens(secrets, false)
            ));
        }
        lines
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
