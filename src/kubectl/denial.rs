//! What RBAC does not allow, read out of the API server's own words, and who could grant it.

use std::fmt;

use kube::core::Status;

use crate::api::GROUP;

/// A request that RBAC does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Who made the request, as the API server knows them.
    user: String,
    verb: String,
    /// With its group, as kubectl writes it.
    resource: String,
    /// Of which object, where one was named.
    name: Option<String>,
    /// Where; `None` in the whole cluster.
    namespace: Option<String>,
}

impl Denial {
    /// Reads RBAC's refusal; `None` where somebody else refused, who says in words of their own why.
    pub fn parse(status: &Status) -> Option<Self> {
        let message = status.message.as_str();
        let part = |before: &str| {
            let (_, rest) = message.split_once(&format!("{before} \""))?;
            Some(rest.split_once('"')?.0.to_owned())
        };
        let (_, after) = message.split_once("\" cannot ")?;
        let verb = after.split_whitespace().next()?.to_owned();
        let resource = part(" resource")?;
        let group = part("in API group").unwrap_or_default();
        let resource = if group.is_empty() { resource } else { format!("{resource}.{group}") };
        let name =
            status.details.as_ref().map(|details| details.name.clone()).filter(|name| !name.is_empty());
        Some(Self { user: part("User")?, verb, resource, name, namespace: part("in the namespace") })
    }

    /// Who could grant it, and how.
    fn way_out(&self) -> String {
        let Self { user, verb, resource, name: _, namespace } = self;
        let Some(namespace) = namespace else {
            return "an administrator of the cluster can grant it".into();
        };
        let reads = ["get", "list", "watch"].contains(&verb.as_str());
        let kind = resource.strip_suffix(&format!(".{GROUP}"));
        match (kind, reads) {
            (Some(_), true) => format!(
                "an administrator of the namespace can grant it: kubectl -n {namespace} create rolebinding NAME \
                 --clusterrole=view --user={user}"
            ),
            (Some("serviceaccounts"), false) if verb == "create" => {
                "a super admin of the account can grant it, by naming the user in spec.iamAdmins of the Account".into()
            }
            (Some("serviceaccounts" | "accesskeys"), false) => "a super admin or IAM admin of the account can grant \
                it, by naming the user in spec.admins of the service account"
                .into(),
            (None, true) if resource == "secrets" => "a super admin or IAM admin of the account can grant it, by \
                naming the user in spec.admins of the key's service account"
                .into(),
            (Some(_) | None, _) => "an administrator of the namespace can grant it".into(),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, verb, resource, name, namespace } = self;
        write!(f, "user \"{user}\" may not {verb} {resource}")?;
        if let Some(name) = name {
            write!(f, " \"{name}\"")?;
        }
        match namespace {
            Some(namespace) => write!(f, " in namespace \"{namespace}\"")?,
            None => write!(f, " in the cluster")?,
        }
        write!(f, "; {}", self.way_out())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(message: &str, name: &str) -> Option<String> {
        let status = json!({"code": 403, "message": message, "details": {"name": name}});
        Denial::parse(&serde_json::from_value(status).unwrap()).map(|denial| denial.to_string())
    }

    #[test]
    fn it_says_who_may_not_do_what_where_and_who_could_grant_it() {
        for (message, name, expected) in [
            (
                "accesskeys.iam.keyward.dev is forbidden: User \"bob\" cannot list resource \"accesskeys\" in API group \
                 \"iam.keyward.dev\" in the namespace \"shop\"",
                "",
                "user \"bob\" may not list accesskeys.iam.keyward.dev in namespace \"shop\"; an administrator of the \
                 namespace can grant it: kubectl -n shop create rolebinding NAME --clusterrole=view --user=bob",
            ),
            (
                "serviceaccounts.iam.keyward.dev \"ci\" is forbidden: User \"bob\" cannot patch resource \
                 \"serviceaccounts\" in API group \"iam.keyward.dev\" in the namespace \"shop\"",
                "ci",
                "user \"bob\" may not patch serviceaccounts.iam.keyward.dev \"ci\" in namespace \"shop\"; a super admin \
                 or IAM admin of the account can grant it, by naming the user in spec.admins of the service account",
            ),
            (
                "serviceaccounts.iam.keyward.dev is forbidden: User \"bob\" cannot create resource \
                 \"serviceaccounts\" in API group \"iam.keyward.dev\" in the namespace \"shop\"",
                "",
                "user \"bob\" may not create serviceaccounts.iam.keyward.dev in namespace \"shop\"; a super admin of \
                 the account can grant it, by naming the user in spec.iamAdmins of the Account",
            ),
            (
                "secrets \"deploy\" is forbidden: User \"bob\" cannot get resource \"secrets\" in API group \"\" in the \
                 namespace \"shop\"",
                "deploy",
                "user \"bob\" may not get secrets \"deploy\" in namespace \"shop\"; a super admin or IAM admin of the \
                 account can grant it, by naming the user in spec.admins of the key's service account",
            ),
            (
                "accounts.iam.keyward.dev is forbidden: User \"bob\" cannot list resource \"accounts\" in API group \
                 \"iam.keyward.dev\" at the cluster scope",
                "",
                "user \"bob\" may not list accounts.iam.keyward.dev in the cluster; an administrator of the cluster can \
                 grant it",
            ),
            (
                "users \"alice\" is forbidden: User \"bob\" cannot impersonate resource \"users\" in API group \"\" at \
                 the cluster scope",
                "alice",
                "user \"bob\" may not impersonate users \"alice\" in the cluster; an administrator of the cluster can \
                 grant it",
            ),
        ] {
            assert_eq!(said(message, name).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_a_policy_or_a_quota_refuses_is_no_denial_of_rbac() {
        for message in [
            "serviceaccounts.iam.keyward.dev \"ci\" is forbidden: ValidatingAdmissionPolicy 'x' with binding 'x' denied \
             request: user \"bob\" may not change ServiceAccount.iam.keyward.dev \"ci\"",
            "serviceaccounts.iam.keyward.dev \"ci\" is forbidden: exceeded quota: keyward, requested: \
             count/serviceaccounts.iam.keyward.dev=1, used: count/serviceaccounts.iam.keyward.dev=25",
            "",
        ] {
            assert_eq!(said(message, ""), None);
        }
    }
}
