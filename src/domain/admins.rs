//! Admins are bound by RBAC, with nothing of our own: the Role and `RoleBinding` of a service account's admins, and the
//! bindings of an account's to the chart's cluster roles.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject as RbacSubject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use crate::api::shared::{Subject, SubjectKind};
use crate::api::{GROUP, names};
use crate::domain::text::{cut, one_line};

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
    pub kind: &'static str,
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
    bound(owner, &name, ("Role", &name), admins)
}

/// Binds admins of an account to a cluster role; `None` where there are none.
pub fn account_binding(owner: Owner<'_>, name: &str, role: &str, admins: &[Subject]) -> Option<RoleBinding> {
    bound(owner, name, ("ClusterRole", role), admins)
}

fn bound(
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
            kind: owner.kind.into(),
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

/// Which of `wanted` the cluster has bound.
pub fn standing(wanted: &[Subject], found: Option<&RoleBinding>) -> Vec<Subject> {
    let bound: &[RbacSubject] = found.and_then(|found| found.subjects.as_deref()).unwrap_or_default();
    wanted.iter().filter(|admin| bound.contains(&to_rbac(admin))).cloned().collect()
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
#[path = "admins_tests.rs"]
mod tests;
