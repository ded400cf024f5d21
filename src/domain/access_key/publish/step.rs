//! A key in force and its copies for gateways: good is first recorded, then published, then called ready.

use chrono::{DateTime, Utc};

use crate::api::access_key::{KeyState, PublishedStatus};
use crate::api::reason::Reason;
use crate::domain::access_key::decision::{CONFLICT_RECHECK_SECONDS, Decision, Settled};
use crate::domain::access_key::messages::{publishing, trouble};
use crate::domain::access_key::observed::Observed;
use crate::domain::access_key::plan::Action;
use crate::domain::access_key::publish::secrets::{NamespacedName, PublishedSecret, desired, not_accepted};
use crate::domain::access_key::token::Recorded;
use crate::domain::refused::Step;

enum Publishing {
    /// All exist as requested.
    Right,
    /// Something is to be written or deleted.
    Due,
    /// All that can exist do.
    Refused(Reason, String),
}

/// The decision about a key in force, with what its published Secrets add to it.
pub(in crate::domain::access_key) fn with(
    observed: &Observed,
    settled: Settled,
    now: DateTime<Utc>,
) -> Decision {
    let Some(token) = settled.token.as_ref().filter(|_| settled.then.is_none()) else {
        return settled.into();
    };
    match publishing_of(observed, token) {
        Publishing::Right => settled.into(),
        Publishing::Due if observed.failed.has(Step::Published) => {
            let summary = match observed.failed.why(Step::Published) {
                Some(refused) if settled.summary.ready() => trouble(true, refused),
                None if settled.summary.ready() => publishing(&token.current),
                Some(_) | None => settled.summary,
            };
            Settled { summary, ..settled }.into()
        }
        // What is published is what the status says, and whoever finds a token at a gateway must find it
        // good.
        Publishing::Due
            if !token.changes.is_empty() || observed.key.status.state != Some(KeyState::Active) =>
        {
            Settled {
                summary: publishing(&token.current),
                then: Some(Action::Publish(Box::new(token.tokens()))),
                ..settled
            }
            .into()
        }
        Publishing::Due => Decision::Publish(Box::new(token.tokens())),
        Publishing::Refused(..) if !settled.summary.ready() => settled.into(),
        Publishing::Refused(reason, message) => {
            let recheck = now + chrono::TimeDelta::seconds(CONFLICT_RECHECK_SECONDS);
            let look_again_at = settled.look_again_at.map_or(recheck, |at| at.min(recheck));
            Settled {
                summary: trouble(true, (reason, message)),
                look_again_at: Some(look_again_at),
                ..settled
            }
            .into()
        }
    }
}

fn publishing_of(observed: &Observed, token: &Recorded) -> Publishing {
    let Observed { key, published, .. } = observed;
    let owner = key.owner();
    let previous = token.previous.as_ref().map(|previous| &previous.token);
    let desired = desired(&owner, &token.current, previous, &published.accepting);
    let exists = |id: &NamespacedName, made_of: &str| {
        published.secrets.iter().any(|secret| is_right(secret, id, made_of))
            || published.conflicts.contains(id)
            || published.lost.contains(id)
    };
    let missing = desired.iter().any(|desired| !exists(&desired.id, &desired.made_of));
    let unwanted =
        published.secrets.iter().any(|secret| !desired.iter().any(|desired| desired.id == secret.id));
    if missing || unwanted {
        return Publishing::Due;
    }
    if let Some(NamespacedName { namespace, name }) = published.conflicts.first() {
        let message = format!(
            "Secret \"{name}\" (spec.publish) exists in namespace \"{namespace}\" and is not owned by this AccessKey; delete it \
             or choose another name"
        );
        return Publishing::Refused(Reason::PublishConflict, message);
    }
    match not_accepted(&owner, &published.accepting).first() {
        None => match key.refusals.first() {
            None => Publishing::Right,
            Some(refusal) => Publishing::Refused(Reason::PublishNotAccepted, refusal.message.clone()),
        },
        Some(NamespacedName { namespace, name }) => {
            let message = format!(
                "Secret \"{name}\" (spec.publish) is not published: the Account of namespace \"{namespace}\" does not accept \
                 Secrets from \"{}\" (spec.acceptSecretsFrom)",
                key.object.namespace
            );
            Publishing::Refused(Reason::PublishNotAccepted, message)
        }
    }
}

fn is_right(secret: &PublishedSecret, id: &NamespacedName, made_of: &str) -> bool {
    secret.id == *id && secret.checked && secret.made_of.as_deref() == Some(made_of)
}

/// The published Secrets as the status lists them.
pub(in crate::domain::access_key) fn recorded(observed: &Observed) -> Vec<PublishedStatus> {
    let mut recorded: Vec<PublishedStatus> = observed
        .published
        .secrets
        .iter()
        .filter(|secret| secret.checked)
        .map(|secret| PublishedStatus {
            name: secret.id.name.clone(),
            namespace: secret.id.namespace.clone(),
            resource_version: secret.resource_version.clone(),
        })
        .collect();
    recorded.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    recorded
}
