//! Looks, before any work, whether the CRDs are there and RBAC allows what will be done, so that a broken
//! installation says what is missing instead of failing object by object.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use serde::Deserialize;

use super::client::{CallError, bounded, found};
use crate::api::{API_VERSION, GROUP};

/// For how long something may be missing. What an installation has just created is in force a moment later,
/// at each API server at its own time.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many questions are asked at once.
const AT_ONCE: usize = 8;

/// What the controller may do.
pub const CONTROLLER: Rules = Rules {
    file: "controller-rules.yaml",
    text: include_str!("../../charts/keyward/files/controller-rules.yaml"),
};
/// What the verifier may do.
pub const VERIFIER: Rules = Rules {
    file: "verifier-rules.yaml",
    text: include_str!("../../charts/keyward/files/verifier-rules.yaml"),
};

/// What the controller may do about its sealing key.
pub const SEALING: Rules =
    Rules { file: "sealing-rules.yaml", text: include_str!("../../charts/keyward/files/sealing-rules.yaml") };
/// What the controller may do about the verifier's certificate.
pub const CERTIFICATE: Rules = Rules {
    file: "certificate-rules.yaml",
    text: include_str!("../../charts/keyward/files/certificate-rules.yaml"),
};
/// What the verifier may do about the sealing keys.
pub const VERIFIER_SEALING: Rules = Rules {
    file: "verifier-sealing-rules.yaml",
    text: include_str!("../../charts/keyward/files/verifier-sealing-rules.yaml"),
};

/// RBAC rules, as the chart grants them to one process.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    file: &'static str,
    text: &'static str,
}

/// Why the process cannot work here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server does not know the kinds.
    #[error(
        "the cluster does not serve {0} of {GROUP}; install the CRDs with: keyward crds | kubectl apply --server-side -f -"
    )]
    CrdsMissing(String),
    /// RBAC forbids something.
    #[error(
        "RBAC does not allow this process to: {denied}; see charts/keyward/files/{file} for all that it needs"
    )]
    Forbidden {
        /// What is not allowed.
        denied: String,
        /// Where the chart lists what is needed.
        file: &'static str,
    },
    /// The rules that are built in do not parse.
    #[error("the built-in list of RBAC rules")]
    Rules(#[from] serde_yaml::Error),
    /// The API server could not be asked.
    #[error(transparent)]
    Call(#[from] CallError),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    api_groups: Vec<String>,
    resources: Vec<String>,
    verbs: Vec<String>,
    #[serde(default)]
    resource_names: Vec<String>,
}

/// Checks all that a process needs, in `namespace` or in all. What is missing is looked for again, after
/// waits of ten seconds in all.
///
/// # Errors
/// What is missing, all of it at once.
pub async fn check(client: &Client, rules: Rules, namespace: Option<&str>) -> Result<(), Error> {
    let waits = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(2))
        .without_max_times()
        .with_total_delay(Some(PATIENCE));
    let look = async || check_once(client, rules, namespace).await;
    look.retry(waits)
        .when(|error| !matches!(error, Error::Rules(_)))
        .notify(|error, wait| tracing::info!(%error, ?wait, "looking again for what this process needs"))
        .await
}

async fn check_once(client: &Client, rules: Rules, namespace: Option<&str>) -> Result<(), Error> {
    check_crds(client).await?;
    let Rules { file, text } = rules;
    let rules: Vec<Rule> = serde_yaml::from_str(text)?;
    let asked = rules.iter().flat_map(permissions).map(|permission| allowed(client, namespace, permission));
    let answers: Vec<Option<String>> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
    let denied: Vec<String> = answers.into_iter().flatten().collect();
    if denied.is_empty() { Ok(()) } else { Err(Error::Forbidden { denied: denied.join(", "), file }) }
}

async fn check_crds(client: &Client) -> Result<(), Error> {
    let served = found(bounded("discover", client.list_api_group_resources(API_VERSION)).await)?;
    let names: Vec<String> =
        served.into_iter().flat_map(|list| list.resources).map(|resource| resource.name).collect();
    let missing: Vec<&str> = ["accounts", "serviceaccounts", "accesskeys", "resourcegrants"]
        .into_iter()
        .filter(|plural| !names.iter().any(|name| name == plural))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(Error::CrdsMissing(missing.join(", "))) }
}

fn permissions(rule: &Rule) -> impl Iterator<Item = ResourceAttributes> + '_ {
    let Rule { api_groups, resources, verbs, resource_names } = rule;
    let names: Vec<Option<&String>> =
        if resource_names.is_empty() { vec![None] } else { resource_names.iter().map(Some).collect() };
    let attributes = |group: &String, resource: &String, verb: &String, name: Option<&String>| {
        let (resource, subresource) =
            resource.split_once('/').map_or((resource.as_str(), None), |(r, s)| (r, Some(s)));
        ResourceAttributes {
            group: Some(group.clone()),
            resource: Some(resource.to_owned()),
            subresource: subresource.map(str::to_owned),
            verb: Some(verb.clone()),
            name: name.cloned(),
            ..ResourceAttributes::default()
        }
    };
    let mut all = Vec::new();
    for (group, resource) in
        api_groups.iter().flat_map(|group| resources.iter().map(move |name| (group, name)))
    {
        for verb in verbs {
            all.extend(names.iter().map(|name| attributes(group, resource, verb, *name)));
        }
    }
    all.into_iter()
}

/// `None` where it is allowed, and otherwise what is not, in words.
async fn allowed(
    client: &Client,
    namespace: Option<&str>,
    permission: ResourceAttributes,
) -> Result<Option<String>, CallError> {
    let name = |part: &Option<String>| part.clone().unwrap_or_default();
    let subresource = permission.subresource.as_ref().map(|name| format!("/{name}")).unwrap_or_default();
    let object = permission.name.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default();
    let words = format!("{} {}{subresource}{object}", name(&permission.verb), name(&permission.resource));
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: namespace.map(str::to_owned),
                ..permission
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let answer = bounded("review access", reviews.create(&PostParams::default(), &review)).await?;
    Ok(if answer.status.is_some_and(|status| status.allowed) { None } else { Some(words) })
}
