//! Who may do what, out of RBAC and of whom the objects name.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt as _;
use serde_json::{Value, json};

use crate::api::shared::Subject;
use crate::kubectl::commands::who_can::fetch::{OwnRights, Visible};
use crate::kubectl::commands::who_can::rbac::{Principal, Rights, Target, Unresolved};
use crate::kubectl::output::table::{Cell, Table, Tone};

/// The answer.
#[derive(Debug)]
pub struct Answer {
    namespace: String,
    service_account: String,
    /// The Secrets that hold its tokens.
    secrets: Vec<String>,
    rows: Vec<Row>,
    /// What may not be seen, so that someone may be missing.
    not_seen: Vec<String>,
    /// What the user may do themselves, where not everything may be seen.
    own_rights: Option<OwnRights>,
}

/// What one may do.
#[derive(Debug)]
struct Row {
    principal: Principal,
    rights: Rights,
    /// What the objects name them as.
    named: Vec<String>,
}

/// The answer out of what was seen.
pub fn answer(visible: &Visible) -> Answer {
    let Visible { namespace, service_account, account: _, secrets, rbac, unseen, own_rights } = visible;
    let name = service_account.name_any();
    let (mut found, unresolved) = rbac.rights_by_principal(&Target { service_account: &name, secrets });
    let bindings_seen = !unseen.contains(&"rolebindings");
    let mut named: BTreeMap<Principal, Vec<String>> = BTreeMap::new();
    for NamedAdmin { principal, role, is_bound, reveals } in named_in(visible) {
        let rights = found.entry(principal.clone()).or_default();
        // Where bindings cannot be seen, the controller's word is all there is.
        if !bindings_seen && is_bound {
            let secrets = if reveals { secrets.iter().cloned().collect() } else { Rights::default().secrets };
            rights.add(Rights { manage: true, reveal: reveals, secrets, ..Rights::default() });
        }
        let remark = if is_bound { "" } else { ", not bound yet" };
        named.entry(principal).or_default().push(format!("{role}{remark}"));
    }
    let rows = found.into_iter().map(|(principal, rights)| {
        let named = named.remove(&principal).unwrap_or_default();
        Row { principal, rights, named }
    });
    Answer {
        namespace: namespace.clone(),
        service_account: name.clone(),
        secrets: secrets.clone(),
        rows: rows.collect(),
        not_seen: unseen.iter().map(ToString::to_string).chain(unresolved.iter().map(unclear)).collect(),
        own_rights: own_rights.clone(),
    }
}

/// That a binding gives something which may not be seen.
fn unclear(unresolved: &Unresolved) -> String {
    let Unresolved { binding, role, subjects } = unresolved;
    let subjects: Vec<String> = subjects.iter().map(Principal::label).collect();
    format!("what {binding} gives to {}: {role}", subjects.join(", "))
}

/// Someone whom the service account or its account names.
struct NamedAdmin {
    principal: Principal,
    role: &'static str,
    is_bound: bool,
    reveals: bool,
}

fn named_in(visible: &Visible) -> Vec<NamedAdmin> {
    let spec = &visible.service_account.spec;
    let status = visible.service_account.status.as_ref();
    let account = visible.account.as_ref();
    let account_status = account.and_then(|account| account.status.as_ref());
    let mut named = Vec::new();
    let mut add = |wanted: Option<&Vec<Subject>>, bound: Option<&Vec<Subject>>, role, reveals| {
        named.extend(wanted.into_iter().flatten().map(|subject| NamedAdmin {
            principal: subject.into(),
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
    /// As a table.
    pub fn table(&self, wide: bool) -> String {
        let mut table = Table::new(["SUBJECT", "MANAGE", "REVEAL", "READ TOKENS", "AS", "THROUGH"]);
        let shown: Vec<&Row> = self.rows.iter().filter(|row| wide || !row.principal.is_system()).collect();
        for row in &shown {
            table.row(self.row(row));
        }
        if shown.is_empty() { "Nobody that can be seen.\n".into() } else { table.to_string() }
    }

    fn row(&self, row: &Row) -> Vec<Cell> {
        let Row { principal, rights: Rights { manage, reveal, secrets, every_secret, through }, named } = row;
        let yes = |is: &bool| if *is { Cell::new(Tone::Good, "yes") } else { Cell::new(Tone::Faint, "no") };
        let list = |list: Vec<&str>| if list.is_empty() { "-".to_owned() } else { list.join(", ") };
        let tokens = if *every_secret { "all".into() } else { self.tokens(secrets) };
        vec![
            principal.label().into(),
            yes(manage),
            yes(reveal),
            Cell::new(if tokens == "no" { Tone::Faint } else { Tone::Warn }, &tokens),
            list(named.iter().map(String::as_str).collect()).into(),
            list(through.iter().map(String::as_str).collect()).into(),
        ]
    }

    /// Which tokens someone may read who may read these Secrets.
    fn tokens(&self, secrets: &BTreeSet<String>) -> String {
        match secrets.len() {
            0 => "no".into(),
            all if all == self.secrets.len() => "all".into(),
            _ => secrets.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
        }
    }

    /// What else there is to know.
    pub fn remarks(&self, wide: bool) -> Vec<String> {
        let hidden = self.rows.iter().filter(|row| !wide && row.principal.is_system()).count();
        let hidden = (hidden > 0)
            .then(|| format!("Kubernetes' own parts ({hidden}) are left out; -o wide shows them."));
        let missing = (!self.not_seen.is_empty())
            .then(|| format!("Someone may be missing, since you may not see: {}.", self.not_seen.join("; ")));
        let may = |may: bool| if may { "yes" } else { "no" };
        let own_rights = self.own_rights.as_ref().map(|OwnRights { user, manage, reveal, secrets }| {
            let tokens = self.tokens(secrets);
            format!(
                "You yourself ({user}): manage {}, reveal {}, read tokens: {tokens}",
                may(*manage),
                may(*reveal)
            )
        });
        [hidden, missing, own_rights].into_iter().flatten().collect()
    }

    /// For programs. Everyone is in it.
    pub fn document(&self) -> Value {
        let Self { namespace, service_account, secrets, rows, not_seen, own_rights } = self;
        let subjects = rows.iter().map(|Row { principal, rights, named }| {
            let Rights { manage, reveal, secrets, every_secret: _, through } = rights;
            json!({
                "subject": principal.label(), "manage": manage, "reveal": reveal, "secrets": secrets, "as": named,
                "through": through,
            })
        });
        let own_rights = own_rights.as_ref().map(|OwnRights { user, manage, reveal, secrets }| {
            json!({"user": user, "manage": manage, "reveal": reveal, "secrets": secrets})
        });
        json!({
            "namespace": namespace, "serviceAccount": service_account, "secrets": secrets,
            "subjects": subjects.collect::<Vec<_>>(), "notSeen": not_seen, "you": own_rights,
        })
    }
}
