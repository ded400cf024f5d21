//! What roles and bindings come to.

use std::collections::BTreeSet;

use k8s_openapi::api::rbac::v1::{ClusterRole, Role};
use serde_json::{Value, json};

use crate::api::GROUP;
use crate::kubectl::commands::who_can::rbac::{Principal, Rbac, Rights, Target, Unresolved};
use crate::kubectl::samples::from_json;

fn rule(group: &str, resource: &str, verbs: &[&str], names: &[&str]) -> Value {
    json!({"apiGroups": [group], "resources": [resource], "verbs": verbs, "resourceNames": names})
}

fn role(name: &str, rules: &[Value]) -> Role {
    from_json(json!({"metadata": {"name": name, "namespace": "shop"}, "rules": rules}))
}

fn cluster_role(name: &str, rules: &[Value]) -> ClusterRole {
    from_json(json!({"metadata": {"name": name}, "rules": rules}))
}

fn binding(kind: &str, role: &str, subjects: &Value) -> Value {
    json!({
        "metadata": {"name": format!("{role}-binding")}, "subjects": subjects,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
    })
}

fn alice() -> Value {
    json!([{"kind": "User", "name": "alice"}])
}

fn secrets() -> Vec<String> {
    ["deploy", "nightly"].map(String::from).into()
}

fn found(rbac: &Rbac) -> Vec<(String, Rights)> {
    let (found, unresolved) =
        rbac.rights_by_principal(&Target { service_account: "ci-bot", secrets: &secrets() });
    assert_eq!(unresolved, []);
    found.into_iter().map(|(principal, rights)| (principal.label(), rights)).collect()
}

/// What a role with these rules gives to whom it is bound.
fn rights(rules: &[Value]) -> Rights {
    let rbac = Rbac {
        roles: Some(vec![role("r", rules)]),
        role_bindings: vec![from_json(binding("Role", "r", &alice()))],
        ..Rbac::default()
    };
    found(&rbac).pop().map(|(_, rights)| Rights { through: BTreeSet::new(), ..rights }).unwrap_or_default()
}

#[test]
fn a_rule_counts_for_the_service_account_that_it_names() {
    let manage = Rights { manage: true, ..Rights::default() };
    for (rules, expected) in [
        (vec![rule(GROUP, "serviceaccounts", &["manage"], &["ci-bot"])], manage.clone()),
        (vec![rule(GROUP, "serviceaccounts", &["manage"], &["other"])], Rights::default()),
        // The core kind of the same name.
        (vec![rule("", "serviceaccounts", &["manage"], &[])], Rights::default()),
        (vec![rule(GROUP, "serviceaccounts", &["manage"], &[])], manage),
        (
            vec![rule("*", "*", &["*"], &[])],
            Rights {
                manage: true,
                reveal: true,
                secrets: secrets().into_iter().collect(),
                every_secret: true,
                ..Rights::default()
            },
        ),
        (vec![rule(GROUP, "serviceaccounts", &["get", "patch"], &[])], Rights::default()),
    ] {
        assert_eq!(rights(&rules), expected, "{rules:?}");
    }
}

#[test]
fn who_may_list_or_watch_secrets_reads_them_too() {
    for verb in ["get", "list", "watch"] {
        let all = rights(&[rule("", "secrets", &[verb], &[])]);
        assert!(all.every_secret && all.secrets.len() == 2, "{verb}");
        let one = rights(&[rule("", "secrets", &[verb], &["deploy", "foreign"])]);
        assert!(!one.every_secret && one.secrets == ["deploy".to_owned()].into(), "{verb}");
    }
    assert_eq!(rights(&[rule("", "secrets", &["delete"], &[])]), Rights::default());
}

#[test]
fn several_bindings_of_one_user_add_up() {
    let rbac = Rbac {
        roles: Some(vec![role("r", &[rule("", "secrets", &["get"], &["deploy"])])]),
        role_bindings: vec![
            from_json(binding("Role", "r", &alice())),
            from_json(binding("ClusterRole", "manager", &alice())),
            // A role that is not there gives nothing.
            from_json(binding("ClusterRole", "deleted", &alice())),
            from_json(binding("Role", "deleted", &alice())),
        ],
        cluster_roles: Some(vec![cluster_role(
            "manager",
            &[rule(GROUP, "serviceaccounts", &["manage", "reveal"], &[])],
        )]),
        cluster_role_bindings: vec![from_json(binding(
            "ClusterRole",
            "manager",
            &json!([
                {"kind": "Group", "name": "ops"}, {"kind": "ServiceAccount", "name": "argocd", "namespace": "argocd"},
            ]),
        ))],
    };
    let through = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let manager = Rights {
        manage: true,
        reveal: true,
        through: through(&["ClusterRoleBinding/manager-binding"]),
        ..Rights::default()
    };
    assert_eq!(
        found(&rbac),
        [
            ("Group/ops".to_owned(), manager.clone()),
            ("ServiceAccount/argocd/argocd".to_owned(), manager),
            (
                "User/alice".to_owned(),
                Rights {
                    manage: true,
                    reveal: true,
                    secrets: ["deploy".to_owned()].into(),
                    every_secret: false,
                    through: through(&["RoleBinding/manager-binding", "RoleBinding/r-binding"]),
                }
            ),
        ]
    );
}

#[test]
fn a_binding_whose_role_may_not_be_seen_is_not_taken_for_nothing() {
    for kind in ["Role", "ClusterRole"] {
        let rbac =
            Rbac { role_bindings: vec![from_json(binding(kind, "edit", &alice()))], ..Rbac::default() };
        let (found, unresolved) =
            rbac.rights_by_principal(&Target { service_account: "ci-bot", secrets: &[] });
        assert!(found.is_empty());
        let subjects = vec![Principal { kind: "User", namespace: None, name: "alice".into() }];
        let (binding, role) = ("RoleBinding/edit-binding".into(), format!("{kind}/edit"));
        assert_eq!(unresolved, [Unresolved { binding, role, subjects }]);
    }
}

#[test]
fn kubernetes_own_parts_are_told_from_everyone() {
    for (kind, namespace, name, is_system) in [
        ("Group", None, "system:masters", true),
        ("User", None, "system:kube-controller-manager", true),
        ("ServiceAccount", Some("kube-system"), "generic-garbage-collector", true),
        ("Group", None, "system:authenticated", false),
        ("Group", None, "system:serviceaccounts:shop", false),
        ("User", None, "system:serviceaccount:argocd:argocd", false),
        ("ServiceAccount", Some("shop"), "system:x", false),
        ("User", None, "alice", false),
    ] {
        let principal = Principal { kind, namespace: namespace.map(str::to_owned), name: name.into() };
        assert_eq!(principal.is_system(), is_system, "{}", principal.label());
    }
}
