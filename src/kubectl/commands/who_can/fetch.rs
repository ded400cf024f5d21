//! What the answer is made of, as far as the user may see it. What may not be seen is kept, and the cluster
//! then says what the user may do.

use std::collections::BTreeSet;

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, ResourceExt as _};

use crate::api::{ACCOUNT_NAME, AccessKey, Account, GROUP, ServiceAccount};
use crate::domain::access_key::secret::SecretOwner;
use crate::kubectl::cluster::client::{Cluster, Scope};
use crate::kubectl::cluster::object::of_service_account;
use crate::kubectl::commands::who_can::rbac::Rbac;
use crate::kubectl::error::Error;

/// What the user may see.
#[derive(Debug)]
pub struct Visible {
    pub namespace: String,
    pub service_account: ServiceAccount,
    pub account: Option<Account>,
    /// Names of the Secrets in the namespace that hold tokens of the service account.
    pub secrets: Vec<String>,
    pub rbac: Rbac,
    /// What may not be seen.
    pub unseen: Vec<&'static str>,
    /// What the user may do, where not everything may be seen.
    pub own_rights: Option<OwnRights>,
}

/// What the user may do themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRights {
    pub user: String,
    pub manage: bool,
    pub reveal: bool,
    pub secrets: BTreeSet<String>,
}

/// Fetches all of it at once.
pub async fn fetch(cluster: &Cluster, name: &str) -> Result<Visible, Error> {
    let selector = of_service_account(name);
    let (service_account, account, keys, roles, role_bindings, cluster_roles, cluster_role_bindings) = futures::join!(
        cluster.get::<ServiceAccount>(name),
        cluster.find::<Account>(ACCOUNT_NAME),
        cluster.list::<AccessKey>(Scope::One, &selector),
        cluster.list(Scope::One, ""),
        cluster.list(Scope::One, ""),
        cluster.list_cluster(),
        cluster.list_cluster(),
    );
    let service_account = service_account?;
    let mut unseen = Vec::new();
    let account = if_visible(account, "the Account", &mut unseen)?.flatten();
    let keys: Vec<AccessKey> = if_visible(keys, "accesskeys", &mut unseen)?.unwrap_or_default();
    let rbac = Rbac {
        roles: if_visible(roles, "roles", &mut unseen)?,
        role_bindings: if_visible(role_bindings, "rolebindings", &mut unseen)?.unwrap_or_default(),
        cluster_roles: if_visible(cluster_roles, "clusterroles", &mut unseen)?,
        cluster_role_bindings: if_visible(cluster_role_bindings, "clusterrolebindings", &mut unseen)?
            .unwrap_or_default(),
    };
    let secrets = secrets(&keys, cluster.namespace());
    let own_rights = if unseen.is_empty() { None } else { Some(own_rights(cluster, name, &secrets).await?) };
    let namespace = cluster.namespace().to_owned();
    Ok(Visible { namespace, service_account, account, secrets, rbac, unseen, own_rights })
}

/// What was found, or `None` and a remark where it may not be seen.
fn if_visible<T>(
    found: Result<T, Error>,
    what: &'static str,
    unseen: &mut Vec<&'static str>,
) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_denied() => {
            unseen.push(what);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The Secrets of keys, and those published beside them.
pub fn secrets(keys: &[AccessKey], namespace: &str) -> Vec<String> {
    let mut names: Vec<String> = keys
        .iter()
        .flat_map(|key| {
            let name = key.name_any();
            let own =
                SecretOwner { spec: &key.spec, name: &name, account: namespace }.secret_name().to_owned();
            let published = key.status.iter().flat_map(|status| &status.published);
            let published =
                published.filter(|copy| copy.namespace == namespace).map(|copy| copy.name.clone());
            [own].into_iter().chain(published).collect::<Vec<_>>()
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

async fn own_rights(cluster: &Cluster, name: &str, secrets: &[String]) -> Result<OwnRights, Error> {
    let may_on = |group: &'static str, resource: &'static str, verb: &'static str, name: String| {
        may(cluster, group, resource, verb, name)
    };
    let reads = secrets.iter().map(|secret| may_on("", "secrets", "get", secret.clone()));
    let (user, manage, reveal, reads) = futures::try_join!(
        whoami(cluster),
        may_on(GROUP, "serviceaccounts", "manage", name.to_owned()),
        may_on(GROUP, "serviceaccounts", "reveal", name.to_owned()),
        futures::future::try_join_all(reads),
    )?;
    let secrets = secrets.iter().zip(reads).filter(|(_, may)| *may).map(|(name, _)| name.clone()).collect();
    Ok(OwnRights { user, manage, reveal, secrets })
}

async fn whoami(cluster: &Cluster) -> Result<String, Error> {
    let reviews: Api<SelfSubjectReview> = Api::all(cluster.client().clone());
    let review = cluster.call(reviews.create(&PostParams::default(), &SelfSubjectReview::default())).await?;
    Ok(review.status.and_then(|status| status.user_info?.username).unwrap_or_default())
}

async fn may(
    cluster: &Cluster,
    group: &str,
    resource: &str,
    verb: &str,
    name: String,
) -> Result<bool, Error> {
    let attributes = ResourceAttributes {
        namespace: Some(cluster.namespace().to_owned()),
        group: Some(group.to_owned()),
        resource: Some(resource.to_owned()),
        verb: Some(verb.to_owned()),
        name: Some(name),
        ..ResourceAttributes::default()
    };
    let spec = SelfSubjectAccessReviewSpec {
        resource_attributes: Some(attributes),
        ..SelfSubjectAccessReviewSpec::default()
    };
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(cluster.client().clone());
    let answer = cluster.call(reviews.create(&PostParams::default(), &review)).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}
