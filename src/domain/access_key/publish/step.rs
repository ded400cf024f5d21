//! A key in force and its copies for gateways: good is first recorded, then published, then called ready.

use chrono::{DateTime, Utc};

use crate::api::access_key::{KeyState, PublishedStatus};
use crate::domain::access_key::messages::{publishing, trouble};
use crate::domain::access_key::publish::secrets::{Place, not_accepted, wanted};
use crate::domain::access_key::token::Recorded;
use crate::domain::access_key::{Action, CONFLICT_RECHECK_SECONDS, Observed, Settled, Verdict};
use crate::domain::audit::reason::Reason;

enum Publication {
    /// All stand as asked for.
    Right,
    /// Something is to be written or deleted.
    Due,
    /// All that can stand does.
    Refused(Reason, String),
}

/// The verdict about a key in force, with what its published Secrets add to it.
pub(in crate::domain::access_key) fn with(
    observed: &Observed,
    settled: Settled,
    now: DateTime<Utc>,
) -> Verdict {
    let Some(token) = settled.token.as_ref().filter(|_| settled.then.is_none()) else {
        return settled.into();
    };
    match publication(observed, token) {
        Publication::Right => settled.into(),
        // What is published is what the status says, and whoever finds a token at a gateway must find it good.
        Publication::Due
            if !token.changes.is_empty() || observed.key.status.state != Some(KeyState::Active) =>
        {
            Settled { summary: publishing(&token.current), then: Some(Action::Publish), ..settled }.into()
        }
        Publication::Due => Verdict::Publish,
        Publication::Refused(..) if !settled.summary.ready() => settled.into(),
        Publication::Refused(reason, message) => {
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

fn publication(observed: &Observed, token: &Recorded) -> Publication {
    let Observed { key, published, .. } = observed;
    let owner = key.owner();
    let previous = token.previous.as_ref().map(|previous| &previous.token);
    let wanted = wanted(&owner, &token.current, previous, &published.accepting);
    let stands = |place: &Place, made_of: &str| {
        let is = |standing: &&_| standing_is(standing, place, made_of);
        published.standing.iter().any(|standing| is(&standing))
            || published.taken.contains(place)
            || published.lost.contains(place)
    };
    let missing = wanted.iter().any(|wanted| !stands(&wanted.place, &wanted.made_of));
    let unwanted = published.standing.iter().any(|s| !wanted.iter().any(|wanted| wanted.place == s.place));
    if missing || unwanted {
        return Publication::Due;
    }
    if let Some(Place { namespace, name }) = published.taken.first() {
        let message = format!(
            "Secret \"{name}\" (spec.publish) exists in namespace \"{namespace}\" and is not owned by this AccessKey; delete it \
             or choose another name"
        );
        return Publication::Refused(Reason::PublishConflict, message);
    }
    match not_accepted(&owner, &published.accepting).first() {
        None => Publication::Right,
        Some(Place { namespace, name }) => {
            let message = format!(
                "Secret \"{name}\" (spec.publish) is not published: the Account of namespace \"{namespace}\" does not accept \
                 Secrets from \"{}\" (spec.acceptSecretsFrom)",
                key.namespace
            );
            Publication::Refused(Reason::PublishNotAccepted, message)
        }
    }
}

fn standing_is(
    standing: &crate::domain::access_key::publish::secrets::Standing,
    place: &Place,
    made_of: &str,
) -> bool {
    standing.place == *place && standing.checked && standing.made_of.as_deref() == Some(made_of)
}

/// The published Secrets as the status lists them.
pub(in crate::domain::access_key) fn recorded(observed: &Observed) -> Vec<PublishedStatus> {
    let mut recorded: Vec<PublishedStatus> = observed
        .published
        .standing
        .iter()
        .filter(|standing| standing.checked)
        .map(|standing| PublishedStatus {
            name: standing.place.name.clone(),
            namespace: standing.place.namespace.clone(),
            resource_version: standing.resource_version.clone(),
        })
        .collect();
    recorded.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    recorded
}
