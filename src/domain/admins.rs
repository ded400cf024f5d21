//! Admins are bound by RBAC, with nothing of our own: the Role and `RoleBinding` of a service account's
//! admins, and the bindings of an account's to the chart's cluster roles.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject as RbacSubject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use crate::api::Kind;
use crate::api::shared::{Subject, SubjectKind};
use crate::api::{GROUP, names};
use crate::domain::value::text::{cut, one_line};

/// The chart's cluster role of super admins.
pub const SUPER_ADMIN_ROLE: &str = "keyward-super-admin";
/// The chart's cluster role of IAM admins.
pub const IAM_ADMIN_ROLE: &str = "keyward-iam-admin";
/// The binding of an account's super admins.
pub const SUPER_ADMINS: &str = "keyward:super-admins";
/// The binding of an account's IAM admins.
pub const IAM_ADMINS: &str = "keyward:iam-admins";

const RBAC: &str = "rbac.authorization.k8s.io";
/// The longest line of admins, in bytes.
const LINE: usize = 253;

/// The object that roles and bindings belong to and go with.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its UID.
    pub uid: &'a str,
}

/// The name of a service account's Role and `RoleBinding`.
pub fn role_name(service_account: &str) -> String {
    format!("keyward:{service_account}:admin")
}

/// What the admins of a service account may do. `secrets` are the Secrets that its keys own, and no others.
pub fn role(owner: Owner<'_>, secrets: &[String]) -> Role {
    let rule = |group: &str, resource: &str, names: Option<Vec<String>>, verbs: &[&str]| PolicyRule {
        api_groups: Some(vec![group.into()]),
        resources: Some(vec![resource.into()]),
        resource_names: names,
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        ..PolicyRule::default()
    };
    let itself = Some(vec![owner.name.to_owned()]);
    let mut rules = vec![
        rule(GROUP, "serviceaccounts", itself, &["get", "update", "patch", "manage", "reveal"]),
        // RBAC cannot tell keys apart by their service account; the admission policy does, by `manage`.
        rule(GROUP, "accesskeys", None, &["get", "list", "watch", "create", "update", "patch", "delete"]),
        rule(GROUP, "resourcegrants", None, &["get", "list", "watch"]),
    ];
    // A rule without names would allow all of them.
    if !secrets.is_empty() {
        rules.push(rule("", "secrets", Some(secrets.to_vec()), &["get"]));
    }
    Role { metadata: metadata(&role_name(owner.name), owner), rules: Some(rules) }
}

/// The Secrets that a Role lets its admins read.
pub fn readable(role: &Role) -> impl Iterator<Item = &String> {
    let rules = role.rules.iter().flatten();
    let of_secrets =
        rules.filter(|rule| rule.resources.iter().flatten().any(|resource| resource == "secrets"));
    of_secrets.flat_map(|rule| rule.resource_names.iter().flatten())
}

/// Binds the admins of a service account to its Role; `None` where it has none.
pub fn binding(owner: Owner<'_>, admins: &[Subject]) -> Option<RoleBinding> {
    let name = role_name(owner.name);
    binding_to(owner, &name, (Kind::Role.as_str(), &name), admins)
}

/// Binds admins of an account to a cluster role; `None` where there are none.
pub fn account_binding(owner: Owner<'_>, name: &str, role: &str, admins: &[Subject]) -> Option<RoleBinding> {
    binding_to(owner, name, ("ClusterRole", role), admins)
}

fn binding_to(
    owner: Owner<'_>,
    name: &str,
    (kind, role): (&str, &str),
    admins: &[Subject],
) -> Option<RoleBinding> {
    (!admins.is_empty()).then(|| RoleBinding {
        metadata: metadata(name, owner),
        role_ref: RoleRef { api_group: RBAC.into(), kind: kind.into(), name: role.into() },
        subjects: Some(admins.iter().map(to_rbac).collect()),
    })
}

/// Labels and owner of an object that the controller makes for one of a user's.
pub fn metadata(name: &str, owner: Owner<'_>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(owner.namespace.to_owned()),
        labels: Some(BTreeMap::from([(names::MANAGED_BY.to_owned(), names::KEYWARD.to_owned())])),
        owner_references: Some(vec![OwnerReference {
            api_version: format!("{GROUP}/v1alpha1"),
            kind: owner.kind.to_string(),
            name: owner.name.into(),
            uid: owner.uid.into(),
            controller: Some(true),
            block_owner_deletion: None,
        }]),
        ..ObjectMeta::default()
    }
}

/// Whether a Role says what is wanted.
pub fn same_role(wanted: &Role, found: &Role) -> bool {
    wanted.rules == found.rules && same_owner(&wanted.metadata, &found.metadata)
}

/// Whether a binding says what is wanted.
pub fn same_binding(wanted: &RoleBinding, found: &RoleBinding) -> bool {
    wanted.subjects == found.subjects
        && wanted.role_ref == found.role_ref
        && same_owner(&wanted.metadata, &found.metadata)
}

/// Whether an object the controller made still belongs to the same one of a user's.
pub fn same_owner(wanted: &ObjectMeta, found: &ObjectMeta) -> bool {
    let uids = |metadata: &ObjectMeta| -> Vec<String> {
        metadata.owner_references.iter().flatten().map(|owner| owner.uid.clone()).collect()
    };
    uids(wanted) == uids(found)
}

/// Which of the admins that are `required` RBAC has bound.
pub fn bound(required: &[Subject], found: Option<&RoleBinding>) -> Vec<Subject> {
    let bound: &[RbacSubject] = found.and_then(|found| found.subjects.as_deref()).unwrap_or_default();
    required.iter().filter(|admin| bound.contains(&to_rbac(admin))).cloned().collect()
}

/// Admins as one line, such as `User/alice, Group/platform`; `None` where there are none.
pub fn line(admins: &[Subject]) -> Option<String> {
    (!admins.is_empty()).then(|| cut(&admins.iter().map(label).collect::<Vec<_>>().join(", "), LINE))
}

/// One admin as messages name it.
fn label(admin: &Subject) -> String {
    let Subject { kind, name, namespace } = admin;
    let name = one_line(name);
    match (kind, namespace) {
        (SubjectKind::ServiceAccount, Some(namespace)) => format!("ServiceAccount/{namespace}/{name}"),
        (SubjectKind::ServiceAccount, None) => format!("ServiceAccount/{name}"),
        (SubjectKind::User, _) => format!("User/{name}"),
        (SubjectKind::Group, _) => format!("Group/{name}"),
    }
}

fn to_rbac(admin: &Subject) -> RbacSubject {
    let Subject { kind, name, namespace } = admin.clone();
    let (kind, api_group) = match kind {
        SubjectKind::User => ("User", Some(RBAC.to_owned())),
        SubjectKind::Group => ("Group", Some(RBAC.to_owned())),
        SubjectKind::ServiceAccount => ("ServiceAccount", None),
    };
    RbacSubject { kind: kind.into(), name, namespace, api_group }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Owner<'_> =
        Owner { kind: Kind::ServiceAccount, namespace: "team-a", name: "ci", uid: "sa-uid" };

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
        assert_eq!(
            (found.role_ref.kind.as_str(), found.role_ref.name.as_str()),
            ("Role", "keyward:ci:admin")
        );
        assert_eq!(line(&admins).unwrap(), "User/alice, Group/platform, ServiceAccount/flux-system/flux");
        assert_eq!(bound(&admins, Some(&found)), admins);
        assert_eq!(bound(&admins[..1], None), []);
        let fewer = binding(OWNER, &admins[1..]).unwrap();
        assert_eq!(bound(&admins, Some(&fewer)), admins[1..]);
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
}
