//! Who may do what, out of RBAC and of whom the objects name.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt as _;
use serde_json::{Value, json};

use crate::api::shared::Subject;
use crate::kubectl::commands::who_can::look::{Seen, You};
use crate::kubectl::commands::who_can::rbac::{Rights, Target, Unresolved, Who};
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
    /// What the user may do, where not everything may be seen.
    you: Option<You>,
}

/// What one may do.
#[derive(Debug)]
struct Row {
    who: Who,
    rights: Rights,
    /// What the objects name them as.
    named: Vec<String>,
}

/// The answer out of what was seen.
pub fn answer(seen: &Seen) -> Answer {
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
    let rows = found.into_iter().map(|(who, rights)| {
        let named = named.remove(&who).unwrap_or_default();
        Row { who, rights, named }
    });
    Answer {
        namespace: namespace.clone(),
        service_account: name.clone(),
        secrets: secrets.clone(),
        rows: rows.collect(),
        not_seen: unseen.iter().map(ToString::to_string).chain(unresolved.iter().map(unclear)).collect(),
        you: you.clone(),
    }
}

/// That a binding gives something which may not be seen.
fn unclear(unresolved: &Unresolved) -> String {
    let Unresolved { binding, role, subjects } = unresolved;
    let subjects: Vec<String> = subjects.iter().map(Who::label).collect();
    format!("what {binding} gives to {}: {role}", subjects.join(", "))
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
    /// As a table.
    pub fn table(&self, wide: bool) -> String {
        let mut table = Table::new(["SUBJECT", "MANAGE", "REVEAL", "READ TOKENS", "AS", "THROUGH"]);
        let shown: Vec<&Row> = self.rows.iter().filter(|row| wide || !row.who.is_system()).collect();
        for row in &shown {
            table.row(self.row(row));
        }
        if shown.is_empty() { "Nobody that can be seen.\n".into() } else { table.to_string() }
    }

    fn row(&self, row: &Row) -> Vec<Cell> {
        let Row { who, rights: Rights { manage, reveal, secrets, every_secret, through }, named } = row;
        let yes = |is: &bool| if *is { Cell::new(Tone::Good, "yes") } else { Cell::new(Tone::Faint, "no") };
        let list = |list: Vec<&str>| if list.is_empty() { "-".to_owned() } else { list.join(", ") };
        let tokens = if *every_secret { "all".into() } else { self.tokens(secrets) };
        vec![
            who.label().into(),
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
        let hidden = self.rows.iter().filter(|row| !wide && row.who.is_system()).count();
        let hidden = (hidden > 0)
            .then(|| format!("Kubernetes' own parts ({hidden}) are left out; -o wide shows them."));
        let missing = (!self.not_seen.is_empty())
            .then(|| format!("Someone may be missing, since you may not see: {}.", self.not_seen.join("; ")));
        let may = |may: bool| if may { "yes" } else { "no" };
        let you = self.you.as_ref().map(|You { user, manage, reveal, secrets }| {
            let tokens = self.tokens(secrets);
            format!(
                "You yourself ({user}): manage {}, reveal {}, read tokens: {tokens}",
                may(*manage),
                may(*reveal)
            )
        });
        [hidden, missing, you].into_iter().flatten().collect()
    }

    /// For programs. Everyone is in it.
    pub fn document(&self) -> Value {
        let Self { namespace, service_account, secrets, rows, not_seen, you } = self;
        let subjects = rows.iter().map(|Row { who, rights, named }| {
            let Rights { manage, reveal, secrets, every_secret: _, through } = rights;
            json!({
                "subject": who.label(), "manage": manage, "reveal": reveal, "secrets": secrets, "as": named,
                "through": through,
            })
        });
        let you = you.as_ref().map(|You { user, manage, reveal, secrets }| {
            json!({"user": user, "manage": manage, "reveal": reveal, "secrets": secrets})
        });
        json!({
            "namespace": namespace, "serviceAccount": service_account, "secrets": secrets,
            "subjects": subjects.collect::<Vec<_>>(), "notSeen": not_seen, "you": you,
        })
    }
}

#[cfg(test)]
mod tests {
    //! Who may do what, as it is shown.

    use serde_json::{Value, json};

    use super::*;
    use crate::kubectl::commands::who_can::look::secrets;
    use crate::kubectl::commands::who_can::rbac::Rbac;
    use crate::kubectl::output::table::plain;
    use crate::kubectl::samples::{account, from_json, issued, key, service_account};

    fn user(name: &str) -> Value {
        json!({"kind": "User", "name": name})
    }

    fn seen(rbac: Rbac) -> Seen {
        Seen {
            namespace: "shop".into(),
            service_account: service_account(
                "ci-bot",
                json!({"admins": [user("alice"), user("late")]}),
                json!({"admins": [user("alice")]}),
            ),
            account: Some(account(
                json!({"superAdmins": [user("sue")], "iamAdmins": [{"kind": "Group", "name": "iam"}]}),
                json!({"superAdmins": [user("sue")], "iamAdmins": [{"kind": "Group", "name": "iam"}]}),
            )),
            secrets: ["deploy", "nightly"].map(String::from).into(),
            rbac,
            unseen: Vec::new(),
            you: None,
        }
    }

    fn bound() -> Rbac {
        let rule_on = |group: &str, resource: &str, verbs: &[&str], names: &[&str]| json!({"apiGroups": [group], "resources": [resource], "verbs": verbs, "resourceNames": names});
        let role = |name: &str, rules: Value| json!({"metadata": {"name": name}, "rules": rules});
        let binding = |name: &str, kind: &str, role: &str, subjects: Value| {
            json!({
                "metadata": {"name": name}, "subjects": subjects,
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
            })
        };
        let group = "iam.keyward.dev";
        let admin = json!([
            rule_on(group, "serviceaccounts", &["manage", "reveal"], &["ci-bot"]),
            rule_on("", "secrets", &["get"], &["deploy"]),
        ]);
        let all = json!([rule_on("*", "*", &["*"], &[])]);
        let manager = json!([rule_on(group, "serviceaccounts", &["manage", "delegate"], &[])]);
        let masters = json!([{"kind": "Group", "name": "system:masters"}, {"kind": "Group", "name": "ops"}]);
        Rbac {
            roles: Some(vec![from_json(role("keyward:ci-bot:admin", admin))]),
            role_bindings: vec![
                from_json(binding(
                    "keyward:ci-bot:admin",
                    "Role",
                    "keyward:ci-bot:admin",
                    json!([user("alice")]),
                )),
                from_json(binding(
                    "keyward:super-admins",
                    "ClusterRole",
                    "keyward-super-admin",
                    json!([user("sue")]),
                )),
            ],
            cluster_roles: Some(vec![
                from_json(role("cluster-admin", all)),
                from_json(role("keyward-super-admin", manager)),
            ]),
            cluster_role_bindings: vec![from_json(binding(
                "cluster-admin",
                "ClusterRole",
                "cluster-admin",
                masters,
            ))],
        }
    }

    #[test]
    fn a_row_says_what_one_may_and_what_gives_it() {
        let answer = answer(&seen(bound()));
        assert_eq!(
            plain(&answer.table(false)),
            "SUBJECT      MANAGE   REVEAL   READ TOKENS   AS                     THROUGH\n\
         Group/iam    no       no       no            IAM admin              -\n\
         Group/ops    yes      yes      all           -                      ClusterRoleBinding/cluster-admin\n\
         User/alice   yes      yes      deploy        admin                  RoleBinding/keyward:ci-bot:admin\n\
         User/late    no       no       no            admin, not bound yet   -\n\
         User/sue     yes      no       no            super admin            RoleBinding/keyward:super-admins\n"
        );
        assert_eq!(answer.remarks(false), ["Kubernetes' own parts (1) are left out; -o wide shows them."]);
        assert!(plain(&answer.table(true)).contains("Group/system:masters   yes"));
        assert_eq!(answer.remarks(true), [] as [&str; 0]);
    }

    #[test]
    fn where_bindings_may_not_be_seen_it_says_so_and_goes_by_whom_the_objects_name() {
        let you =
            You { user: "alice".into(), manage: true, reveal: false, secrets: ["deploy".into()].into() };
        let unseen = vec!["rolebindings", "clusterroles", "clusterrolebindings"];
        let answer = answer(&Seen { unseen, you: Some(you), ..seen(Rbac::default()) });
        assert_eq!(
            plain(&answer.table(false)),
            "SUBJECT      MANAGE   REVEAL   READ TOKENS   AS                     THROUGH\n\
         Group/iam    yes      no       no            IAM admin              -\n\
         User/alice   yes      yes      all           admin                  -\n\
         User/late    no       no       no            admin, not bound yet   -\n\
         User/sue     yes      no       no            super admin            -\n"
        );
        assert_eq!(
            answer.remarks(false),
            [
                "Someone may be missing, since you may not see: rolebindings; clusterroles; clusterrolebindings.",
                "You yourself (alice): manage yes, reveal no, read tokens: deploy",
            ]
        );
    }

    #[test]
    fn a_cluster_role_that_may_not_be_seen_is_shown_with_whom_it_is_given() {
        let rbac = Rbac { cluster_roles: None, ..bound() };
        let answer = answer(&Seen { unseen: vec!["clusterroles"], ..seen(rbac) });
        assert_eq!(
            answer.remarks(true)[0],
            "Someone may be missing, since you may not see: clusterroles; what RoleBinding/keyward:super-admins gives to \
         User/sue: ClusterRole/keyward-super-admin; what ClusterRoleBinding/cluster-admin gives to \
         Group/system:masters, Group/ops: ClusterRole/cluster-admin."
        );
    }

    #[test]
    fn for_programs_everyone_is_there() {
        let value = answer(&seen(bound())).document();
        assert_eq!(value["subjects"].as_array().unwrap().len(), 6);
        assert_eq!(
            value["subjects"][2],
            json!({
                "subject": "Group/system:masters", "manage": true, "reveal": true, "secrets": ["deploy", "nightly"],
                "as": [], "through": ["ClusterRoleBinding/cluster-admin"],
            })
        );
        assert_eq!((&value["notSeen"], &value["you"]), (&json!([]), &Value::Null));
    }

    #[test]
    fn the_secrets_are_those_of_the_keys_and_their_copies_in_the_namespace() {
        let mut status = issued("Active", "x", "2027-05-23T12:00:00Z");
        status["published"] = json!([
            {"name": "copy", "namespace": "shop", "resourceVersion": "1"},
            {"name": "far", "namespace": "gateway", "resourceVersion": "1"},
        ]);
        let keys = [key("deploy", json!({}), status), key("b", json!({"secret": {"name": "a"}}), json!({}))];
        assert_eq!(secrets(&keys, "shop"), ["a", "copy", "deploy"]);
    }
}
