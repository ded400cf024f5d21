//! The verdict that a verifier would give, out of what the user may read. It records no use and writes no
//! audit line.

use kube::ResourceExt as _;

use crate::api::{AccessKey, ResourceGrant, ServiceAccount};
use crate::domain::value::time::at_second;
use crate::domain::value::token::Presented;
use crate::domain::verdict::{
    Cause, FeedState, Grant, GrantFacts, HolderState, KeyFacts, KnownToken, Requirements,
    ServiceAccountFacts, StoredToken, verdict,
};
use crate::kubectl::cluster::client::Scope;
use crate::kubectl::cluster::object::of_service_account;
use crate::kubectl::commands::verify::verification::Verification;
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;

/// The objects that a verdict on a token reads.
#[derive(Debug)]
pub struct TokenObjects {
    pub namespace: String,
    pub key: AccessKey,
    pub service_account: Option<ServiceAccount>,
    pub grants: Vec<ResourceGrant>,
}

/// Looks the token's key up.
///
/// # Errors
/// Where it cannot be looked up.
pub async fn look_up(
    context: &Context,
    presented: &Presented<'_>,
    requirements: &Requirements,
    everywhere: bool,
) -> Result<Verification, Error> {
    let cluster = context.globals.connect().await?;
    let scope = if everywhere { Scope::All } else { Scope::One };
    let keys: Vec<AccessKey> = cluster.list(scope, "").await?;
    let Some(key) = keys.into_iter().find(|key| credential(key, presented).is_some()) else {
        let mut verdict = Verification::refused(Cause::UnknownKey);
        if !everywhere {
            verdict.message = Some(format!(
                "No key in namespace \"{}\" has a token of that id. To look in all: -A",
                cluster.namespace()
            ));
        }
        return Ok(verdict);
    };
    let namespace = key.namespace().unwrap_or_else(|| cluster.namespace().to_owned());
    let cluster = cluster.with_namespace(namespace.clone());
    let name = key.spec.service_account_name.clone();
    let selector = of_service_account(&name);
    let grants = async {
        if requirements.resource.is_none() {
            Ok(Vec::new())
        } else {
            cluster.list(Scope::One, &selector).await
        }
    };
    let (service_account, grants) = futures::try_join!(cluster.find(&name), grants)?;
    let found = TokenObjects { namespace, key, service_account, grants };
    Ok(decide(presented, &found, requirements, context.now.timestamp()))
}

fn credential(key: &AccessKey, presented: &Presented) -> Option<StoredToken> {
    let facts = KeyFacts::of(key)?;
    let (_, credential) = facts.tokens.into_iter().find(|(id, _)| *id == presented.id)?;
    Some(credential)
}

/// The verdict on what was found. Who does not hold the token learns nothing of its key.
pub fn decide(
    presented: &Presented<'_>,
    objects: &TokenObjects,
    requirements: &Requirements,
    now: i64,
) -> Verification {
    let TokenObjects { namespace, key, service_account, grants } = objects;
    let facts = KeyFacts::of(key);
    let service_account_facts = service_account.as_ref().and_then(ServiceAccountFacts::of);
    let grants: Vec<Grant> = grants.iter().filter_map(GrantFacts::of).map(|facts| facts.grant).collect();
    let credential = credential(key, presented);
    let known = facts.as_ref().zip(credential).map(|(facts, credential)| KnownToken {
        token: credential,
        // Whether the seal is good only those can tell who know the sealing keys.
        sealed: true,
        state: facts.state,
        service_account: HolderState::to_keys_of(&facts.issued_for, service_account_facts.as_ref()),
        grants: &grants,
    });
    let decided = verdict(FeedState::Fresh, &presented.hash(), known.as_ref(), requirements, now);
    let mut verification = match &decided {
        Ok(grant) => {
            Verification { valid: true, role: grant.map(|grant| grant.role), ..Verification::default() }
        }
        Err(cause) => Verification::refused(*cause),
    };
    if decided.as_ref().err().is_none_or(|cause| cause.proves_identity()) {
        verification.account = Some(namespace.clone());
        verification.service_account = Some(key.spec.service_account_name.clone());
        verification.access_key = Some(key.name_any());
        verification.expires_at = credential.map(|credential| at_second(credential.good_until));
        verification.resource =
            requirements.resource.as_ref().map(crate::domain::verdict::RequiredResource::label);
        verification.on_behalf_of =
            requirements.on_behalf_of.as_ref().map(|person| person.as_str().to_owned());
    }
    verification.key_id = Some(presented.id.as_str().to_owned());
    verification
}
