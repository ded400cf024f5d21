//! What RBAC's roles and bindings give to whom, on one service account and the Secrets of its keys.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject as RbacSubject,
};
use kube::ResourceExt as _;

use crate::api::shared::{Subject, SubjectKind};
use crate::api::{GROUP, Kind};

/// RBAC as far as the user may see it.
#[derive(Debug, Default)]
pub struct Rbac {
    /// Roles of the namespace; `None` where they may not be seen.
    pub roles: Option<Vec<Role>>,
    /// Bindings of the namespace.
    pub role_bindings: Vec<RoleBinding>,
    /// Roles of the cluster; `None` where they may not be seen.
    pub cluster_roles: Option<Vec<ClusterRole>>,
    /// Bindings of the cluster.
    pub cluster_role_bindings: Vec<ClusterRoleBinding>,
}

/// What the rights are on.
#[derive(Debug)]
pub struct Target<'a> {
    /// Name of the service account.
    pub service_account: &'a str,
    /// Names of the Secrets that hold its tokens.
    pub secrets: &'a [String],
}

/// A user, a group or a core service account, in an order that reads well.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Principal {
    pub kind: &'static str,
    pub namespace: Option<String>,
    pub name: String,
}

/// What someone may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Change the service account, and its keys.
    pub manage: bool,
    /// Say where its tokens go.
    pub reveal: bool,
    /// Read these of the target's Secrets.
    pub secrets: BTreeSet<String>,
    /// Read every Secret of the namespace.
    pub every_secret: bool,
    /// The bindings that give it.
    pub through: BTreeSet<String>,
}

impl Rights {
    fn is_nothing(&self) -> bool {
        let Self { manage, reveal, secrets, every_secret, through: _ } = self;
        !manage && !reveal && secrets.is_empty() && !every_secret
    }

    /// Adds others.
    pub fn add(&mut self, other: Self) {
        let Self { manage, reveal, secrets, every_secret, through } = other;
        self.manage |= manage;
        self.reveal |= reveal;
        self.secrets.extend(secrets);
        self.every_secret |= every_secret;
        self.through.extend(through);
    }
}

/// A binding to a role that may not be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    pub binding: String,
    pub role: String,
    pub subjects: Vec<Principal>,
}

impl Rbac {
    /// Whom RBAC gives something on `target`.
    pub fn rights_by_principal(&self, target: &Target<'_>) -> (BTreeMap<Principal, Rights>, Vec<Unresolved>) {
        let (mut found, mut unresolved) = (BTreeMap::<Principal, Rights>::new(), Vec::new());
        for (binding, role, subjects) in self.bindings() {
            let subjects = subjects.iter().flatten().filter_map(principal);
            let Some(rules) = self.rules(role) else {
                let role = format!("{}/{}", role.kind, role.name);
                unresolved.push(Unresolved { binding, role, subjects: subjects.collect() });
                continue;
            };
            let rights = Rights { through: [binding].into(), ..rights(rules, target) };
            if !rights.is_nothing() {
                subjects.for_each(|principal| found.entry(principal).or_default().add(rights.clone()));
            }
        }
        (found, unresolved)
    }

    fn bindings(&self) -> impl Iterator<Item = (String, &RoleRef, &Option<Vec<RbacSubject>>)> {
        let own = self.role_bindings.iter().map(|binding| {
            (format!("RoleBinding/{}", binding.name_any()), &binding.role_ref, &binding.subjects)
        });
        own.chain(self.cluster_role_bindings.iter().map(|binding| {
            (format!("ClusterRoleBinding/{}", binding.name_any()), &binding.role_ref, &binding.subjects)
        }))
    }

    /// The rules of a role: none where it does not exist, and `None` where that cannot be seen.
    fn rules(&self, role: &RoleRef) -> Option<&[PolicyRule]> {
        let rules = if role.kind == Kind::Role.as_str() {
            let known = self.roles.as_ref()?.iter().find(|known| known.name_any() == role.name);
            known.and_then(|known| known.rules.as_deref())
        } else {
            let known = self.cluster_roles.as_ref()?.iter().find(|known| known.name_any() == role.name);
            known.and_then(|known| known.rules.as_deref())
        };
        Some(rules.unwrap_or_default())
    }
}

fn rights(rules: &[PolicyRule], target: &Target<'_>) -> Rights {
    let Target { service_account, secrets } = target;
    let may =
        |verb| rules.iter().any(|rule| allows(rule, GROUP, "serviceaccounts", verb, Some(service_account)));
    // Who may list or watch Secrets sees what is in them too.
    let reads = |name: Option<&str>| {
        let verbs = ["get", "list", "watch"];
        rules.iter().any(|rule| verbs.iter().any(|verb| allows(rule, "", "secrets", verb, name)))
    };
    Rights {
        manage: may("manage"),
        reveal: may("reveal"),
        secrets: secrets.iter().filter(|name| reads(Some(name))).cloned().collect(),
        every_secret: reads(None),
        through: BTreeSet::new(),
    }
}

/// Whether a rule allows it for the object of that name, or without a name for all.
fn allows(rule: &PolicyRule, group: &str, resource: &str, verb: &str, name: Option<&str>) -> bool {
    let holds = |list: Option<&Vec<String>>, wanted: &str| {
        list.is_some_and(|list| list.iter().any(|given| given == "*" || given == wanted))
    };
    let names = rule.resource_names.as_deref().unwrap_or_default();
    holds(rule.api_groups.as_ref(), group)
        && holds(rule.resources.as_ref(), resource)
        && holds(Some(&rule.verbs), verb)
        && (names.is_empty() || name.is_some_and(|name| names.iter().any(|given| given == name)))
}

fn principal(subject: &RbacSubject) -> Option<Principal> {
    let kind = ["User", "Group", "ServiceAccount"].into_iter().find(|kind| *kind == subject.kind)?;
    let namespace = subject.namespace.clone().filter(|_| kind == "ServiceAccount");
    Some(Principal { kind, namespace, name: subject.name.clone() })
}

impl From<&Subject> for Principal {
    fn from(subject: &Subject) -> Self {
        let Subject { kind, name, namespace } = subject.clone();
        let kind = match kind {
            SubjectKind::User => "User",
            SubjectKind::Group => "Group",
            SubjectKind::ServiceAccount => "ServiceAccount",
        };
        Self { kind, namespace, name }
    }
}

impl Principal {
    /// As messages name it.
    pub fn label(&self) -> String {
        let Self { kind, namespace, name } = self;
        let parts = [Some(*kind), namespace.as_deref(), Some(name)];
        parts.into_iter().flatten().collect::<Vec<_>>().join("/")
    }

    /// A part of Kubernetes itself, and not someone who was given a right here.
    pub fn is_system(&self) -> bool {
        const OPEN: [&str; 2] = ["system:authenticated", "system:unauthenticated"];
        let Self { kind, namespace, name } = self;
        match *kind {
            "ServiceAccount" => namespace.as_deref() == Some("kube-system"),
            // These are not Kubernetes' own parts, but everyone.
            _ => {
                name.starts_with("system:")
                    && !OPEN.contains(&name.as_str())
                    && !name.starts_with("system:serviceaccounts")
                    && !name.starts_with("system:serviceaccount:")
            }
        }
    }
}
