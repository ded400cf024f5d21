use super::*;

const OWNER: Owner<'_> = Owner { kind: "ServiceAccount", namespace: "team-a", name: "ci", uid: "sa-uid" };

fn admin(kind: SubjectKind, name: &str, namespace: Option<&str>) -> Subject {
    Subject { kind, name: name.into(), namespace: namespace.map(str::to_owned) }
}

/// `group/resource[names]: verbs` of each rule.
fn rules(role: &Role) -> Vec<String> {
    let shown = |rule: &PolicyRule| {
        let joined = |list: &Option<Vec<String>>| list.clone().unwrap_or_default().join(",");
        format!(
            "{}/{}[{}]: {}",
            joined(&rule.api_groups),
            joined(&rule.resources),
            joined(&rule.resource_names),
            rule.verbs.join(" ")
        )
    };
    role.rules.iter().flatten().map(shown).collect()
}

#[test]
fn the_role_of_admins_names_the_service_account_and_exactly_the_secrets_of_its_keys() {
    let role = role(OWNER, &["deploy".into(), "registry".into()]);
    assert_eq!(
        rules(&role),
        [
            "iam.keyward.dev/serviceaccounts[ci]: get update patch manage reveal",
            "iam.keyward.dev/accesskeys[]: get list watch create update patch delete",
            "iam.keyward.dev/resourcegrants[]: get list watch",
            "/secrets[deploy,registry]: get",
        ]
    );
    assert_eq!(readable(&role).collect::<Vec<_>>(), ["deploy", "registry"]);
    assert_eq!(role.metadata.owner_references.unwrap()[0].uid, "sa-uid");
}

#[test]
fn without_secrets_there_is_no_rule_about_secrets_since_one_without_names_means_all() {
    assert!(rules(&role(OWNER, &[])).iter().all(|rule| !rule.contains("secrets")));
}

#[test]
fn admins_are_bound_as_rbac_knows_them_and_nobody_is_bound_to_nothing() {
    assert_eq!(binding(OWNER, &[]), None);
    let admins = [
        admin(SubjectKind::User, "alice", None),
        admin(SubjectKind::Group, "platform", None),
        admin(SubjectKind::ServiceAccount, "flux", Some("flux-system")),
    ];
    let found = binding(OWNER, &admins).unwrap();
    let shown: Vec<_> = found
        .subjects
        .iter()
        .flatten()
        .map(|s| format!("{} {} {:?} {:?}", s.kind, s.name, s.namespace, s.api_group))
        .collect();
    assert_eq!(
        shown,
        [
            "User alice None Some(\"rbac.authorization.k8s.io\")",
            "Group platform None Some(\"rbac.authorization.k8s.io\")",
            "ServiceAccount flux Some(\"flux-system\") None",
        ]
    );
    assert_eq!((found.role_ref.kind.as_str(), found.role_ref.name.as_str()), ("Role", "keyward:ci:admin"));
    assert_eq!(line(&admins).unwrap(), "User/alice, Group/platform, ServiceAccount/flux-system/flux");
    assert_eq!(standing(&admins, Some(&found)), admins);
    assert_eq!(standing(&admins[..1], None), []);
    let fewer = binding(OWNER, &admins[1..]).unwrap();
    assert_eq!(standing(&admins, Some(&fewer)), admins[1..]);
    assert!(!same_binding(&found, &fewer) && same_binding(&found, &found));
}

#[test]
fn one_that_belongs_to_a_namesake_that_is_gone_is_not_the_same() {
    let namesake = Owner { uid: "older-uid", ..OWNER };
    assert!(!same_role(&role(OWNER, &[]), &role(namesake, &[])));
    assert!(same_role(&role(OWNER, &[]), &role(OWNER, &[])));
    assert!(!same_role(&role(OWNER, &["a".into()]), &role(OWNER, &[])));
}

#[test]
fn many_admins_make_one_line_of_bounded_length() {
    let many: Vec<Subject> =
        (0..32).map(|n| admin(SubjectKind::User, &format!("{n}{}", "x".repeat(250)), None)).collect();
    assert!(line(&many).unwrap().len() <= LINE);
    assert_eq!(line(&[]), None);
}
