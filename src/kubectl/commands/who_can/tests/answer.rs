//! Who may do what, as it is shown.

use serde_json::{Value, json};

use crate::kubectl::commands::who_can::answer::answer;
use crate::kubectl::commands::who_can::fetch::{OwnRights, Visible, secrets};
use crate::kubectl::commands::who_can::rbac::Rbac;
use crate::kubectl::output::table::plain;
use crate::kubectl::samples::{account, from_json, issued, key, service_account};

fn user(name: &str) -> Value {
    json!({"kind": "User", "name": name})
}

fn seen(rbac: Rbac) -> Visible {
    Visible {
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
        own_rights: None,
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
    let own_rights =
        OwnRights { user: "alice".into(), manage: true, reveal: false, secrets: ["deploy".into()].into() };
    let unseen = vec!["rolebindings", "clusterroles", "clusterrolebindings"];
    let answer = answer(&Visible { unseen, own_rights: Some(own_rights), ..seen(Rbac::default()) });
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
    let answer = answer(&Visible { unseen: vec!["clusterroles"], ..seen(rbac) });
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
