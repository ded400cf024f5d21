//! What to do about an access key: `plan(observed, now) -> Plan`.
//!
//! A status is only ever computed from what the Secret was found to hold, so the first pass, a retry and the
//! repair after a crash take the same way: mint into the Secret, look again, write the status.

use chrono::{DateTime, Utc};

use crate::api::Reason;
use crate::api::access_key::{AccessKeyStatus, KeyState};
use crate::api::shared::DesiredState;
use crate::domain::access_key::decision::{CONFLICT_RECHECK_SECONDS, Decision, Settled};
use crate::domain::access_key::messages::{
    expired_summary, inactive, issued_summary, service_account, service_account_inactive, trouble, unused,
};
use crate::domain::access_key::observed::{FoundParent, Key, Observed, OwnedSecret, Parent, SecretView};
use crate::domain::access_key::plan::{Action, Issue, Plan};
use crate::domain::access_key::publish;
use crate::domain::access_key::record::{Distrust, SecretRecord};
use crate::domain::access_key::secret::Holds;
use crate::domain::access_key::status;
use crate::domain::access_key::token::{self, Term};
use crate::domain::access_key::unused::state::UnusedState;
use crate::domain::access_key::unused::usage;
use crate::domain::account::limits::Limits;
use crate::domain::conditions::{Progress, Summary};
use crate::domain::refused::Step;
use crate::domain::service_account::Admission;
use crate::domain::value::time::whole_seconds;

/// How long to wait before looking again whether the Secret's name is free of another's admins, in seconds.
const NAME_RECHECK_SECONDS: i64 = 1;

/// Whether the Secret has to be read before anything is planned: its metadata alone is watched. `seen` is its
/// version.
pub fn needs_inspection(status: &AccessKeyStatus, generation: i64, seen: Option<&str>) -> bool {
    match seen {
        // It may be that the label by which it is watched was taken off.
        None => status.token.is_some() || status.observed_generation == generation,
        Some(version) => {
            status.secret_resource_version.as_deref() != Some(version)
                || status.observed_generation != generation
                // From before there were seals: the Secret gets one too.
                || (status.token.is_some() && status.seal.is_none())
        }
    }
}

/// Decides. `now` is cut to whole seconds.
pub fn plan(observed: &Observed, now: DateTime<Utc>) -> Plan {
    let now = whole_seconds(now);
    if observed.key.object.deleting {
        return leaving(observed);
    }
    let decision = match &observed.service_account {
        Parent::Gone => gone(observed),
        Parent::Missing => missing(observed),
        Parent::Found(parent) => match token::recorded(observed, parent, now) {
            None => unissued(observed, parent, now),
            Some(token) => issued(observed, parent, token, now),
        },
    };
    status::finish(observed, decision, now)
}

/// Its Secrets go with it, and must not be put back meanwhile. Gateways need not wait for that.
fn leaving(observed: &Observed) -> Plan {
    let copies = !observed.published.secrets.is_empty() && !observed.failed.has(Step::Published);
    Plan { actions: copies.then_some(Action::Unpublish).into_iter().collect(), look_again_at: None }
}

fn rejected(reason: Reason, message: String) -> Decision {
    Settled::rejected(reason, message).into()
}

fn gone(observed: &Observed) -> Decision {
    let message = format!(
        "{} that the key was issued for was deleted, so the key is deleted too",
        service_account(&observed.key)
    );
    // No user has to help with that.
    let summary = Summary {
        progress: Progress::Reconciling,
        ..trouble(false, (Reason::ServiceAccountDeleted, message))
    };
    let then = (!observed.failed.has(Step::Key)).then_some(Action::DeleteKey);
    Settled { then, ..Settled::new(KeyState::Rejected, summary) }.into()
}

fn missing(observed: &Observed) -> Decision {
    let summary = Summary {
        active: Some(false),
        progress: Progress::Reconciling,
        reason: Reason::ServiceAccountNotFound,
        message: format!(
            "{} not found in namespace \"{}\"",
            service_account(&observed.key),
            observed.key.object.namespace
        ),
    };
    Settled::decision(KeyState::Pending, summary)
}

fn unissued(observed: &Observed, parent: &FoundParent, now: DateTime<Utc>) -> Decision {
    let Observed { key, policy, secret, .. } = observed;
    let limits = &policy.limits;
    if key.spec.state == DesiredState::Inactive {
        return Settled::decision(KeyState::Inactive, inactive());
    }
    // It may come from Git together with its service account, which is switched on later.
    if parent.state == DesiredState::Inactive {
        return Settled::decision(KeyState::Inactive, service_account_inactive(key));
    }
    if let Some(decision) = refused_by_parent(key, parent) {
        return decision;
    }
    let expires_at = match token::lifetime(&key.spec, limits, now) {
        Ok(expires_at) => expires_at,
        Err((reason, message)) => return rejected(reason, message),
    };
    if parent.seat.is_none() {
        return without_seat(key, parent, limits);
    }
    let replaces = match secret {
        SecretView::Foreign => return secret_conflict(observed, now).into(),
        _ if observed.failed.has(Step::Secret) => return not_written(observed),
        SecretView::LeftBehind { uid } => return Decision::Clear { uid: uid.clone() },
        // A token under that name would be readable for admins who have no part in it.
        SecretView::Absent if observed.name_granted => {
            return Decision::Wait { until: Some(now + chrono::TimeDelta::seconds(NAME_RECHECK_SECONDS)) };
        }
        SecretView::Absent => None,
        SecretView::Owned(secret) if is_planted(secret) && !observed.adopting => {
            return planted(observed, now).into();
        }
        SecretView::Owned(secret) => {
            if let Some(until) = token::just_drawn(secret, now) {
                return Decision::Wait { until: Some(until) };
            }
            Some(secret)
        }
    };
    Decision::Issue(Box::new(order(observed, parent, Term::new(key, now, expires_at), replaces, now)))
}

/// Its Secret could not be written in this pass, so there is no token.
fn not_written(observed: &Observed) -> Decision {
    let refused = observed.failed.why(Step::Secret);
    refused.map_or(Decision::Wait { until: None }, |(reason, message)| rejected(reason, message))
}

fn refused_by_parent(key: &Key, parent: &FoundParent) -> Option<Decision> {
    let name = service_account(key);
    match &parent.admission {
        Admission::Admitted => None,
        Admission::Undecided => Some(Decision::Wait { until: None }),
        Admission::Rejected(_, why) => {
            Some(rejected(Reason::ServiceAccountRejected, format!("{name} is not admitted itself: {why}")))
        }
    }
}

fn without_seat(key: &Key, parent: &FoundParent, limits: &Limits) -> Decision {
    if parent.seats_taken < limits.access_keys {
        return Decision::Wait { until: None };
    }
    let hint = match parent.removable.as_slice() {
        [] => String::new(),
        names => format!(
            ", for example {}",
            names.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ")
        ),
    };
    let message = format!(
        "{} already has {} of {} access keys; delete one to proceed{hint}",
        service_account(key),
        parent.seats_taken,
        limits.access_keys
    );
    rejected(Reason::KeyLimitExceeded, message)
}

fn secret_conflict(observed: &Observed, now: DateTime<Utc>) -> Settled {
    let message = format!(
        "Secret \"{}\" exists and is not owned by this AccessKey; delete it or choose another `secret.name`",
        observed.key.owner().secret_name()
    );
    conflict(message, now)
}

/// Whether the Secret holds a token that the controller did not put there for this key. One that was sealed
/// by an unknown key comes from a restore; it is worth nothing, and may be replaced.
fn is_planted(secret: &OwnedSecret) -> bool {
    let holds = matches!(secret.holds, Holds::Token { .. });
    match secret.record {
        SecretRecord::Sealed(_) | SecretRecord::Distrusted(Distrust::UnknownSealer) => false,
        SecretRecord::None | SecretRecord::Distrusted(Distrust::NotSealed) => holds,
    }
}

fn planted(observed: &Observed, now: DateTime<Utc>) -> Settled {
    let message = format!(
        "Secret \"{}\" holds a token that this controller did not seal for this AccessKey; delete it or choose another \
         `secret.name`",
        observed.key.owner().secret_name()
    );
    conflict(message, now)
}

fn conflict(message: String, now: DateTime<Utc>) -> Settled {
    let look_again_at = Some(now + chrono::TimeDelta::seconds(CONFLICT_RECHECK_SECONDS));
    Settled { look_again_at, ..Settled::rejected(Reason::SecretConflict, message) }
}

fn order(
    observed: &Observed,
    parent: &FoundParent,
    term: Term,
    secret: Option<&OwnedSecret>,
    now: DateTime<Utc>,
) -> Issue {
    let Key { spec, status, .. } = &observed.key;
    let current = status.token.as_ref();
    let Term { revision, issued_at, expires_at } = term;
    let not_the_first = current.is_some() || secret.is_some() || observed.key.distrust.is_some();
    Issue {
        revision,
        issued_at,
        expires_at,
        service_account_uid: parent.uid.clone(),
        serial: token::last_serial(observed, parent) + 1,
        seat: parent.seat.filter(|_| not_the_first).map(|seat| seat.index),
        replaces: secret.map(|secret| secret.resource_version.clone()),
        stage: current.is_some(),
        previous: current.and_then(|current| token::left_behind(spec, current, term, now)),
    }
}

fn issued(observed: &Observed, parent: &FoundParent, token: token::Recorded, now: DateTime<Utc>) -> Decision {
    let Observed { key, policy, .. } = observed;
    let limits = &policy.limits;
    let current = token.current.clone();
    let expired = current.expires_at <= now;
    let renewal = token::renewal(observed, &current, now);
    let state = if key.spec.state == DesiredState::Inactive {
        (KeyState::Inactive, inactive())
    } else if expired && renewal == token::Renewal::NotDue {
        (KeyState::Expired, expired_summary(&current, None))
    } else if parent.state == DesiredState::Inactive {
        (KeyState::Inactive, service_account_inactive(key))
    } else if let Some(decision) = refused_by_parent(key, parent) {
        return with_token(decision, token, expired, observed);
    } else if parent.seat.is_none() {
        return with_token(without_seat(key, parent, limits), token, expired, observed);
    } else if let UnusedState::Off { since, .. } = usage::state(observed, now) {
        (KeyState::Inactive, unused(since))
    } else {
        return in_force(observed, parent, token, renewal, now);
    };
    let (state, summary) = state;
    with_token(Settled::decision(state, summary), token, expired, observed)
}

/// Keeps the recorded token with a state that is not in force, and takes it out of the Secret once it has
/// expired.
fn with_token(decision: Decision, token: token::Recorded, expired: bool, observed: &Observed) -> Decision {
    let next = (!expired).then(|| token.end());
    match decision {
        Decision::Settle(settled) => Decision::Settle(Box::new(Settled {
            then: (expired && holds_token(&observed.secret) && !observed.failed.has(Step::Secret))
                .then_some(Action::EmptySecret),
            look_again_at: next,
            token: Some(token),
            ..*settled
        })),
        Decision::Wait { .. } => Decision::Wait { until: next },
        other @ (Decision::Issue(_) | Decision::Clear { .. } | Decision::Publish(_)) => other,
    }
}

fn holds_token(secret: &SecretView) -> bool {
    match secret {
        SecretView::Owned(OwnedSecret { record, holds, .. }) => {
            *record != SecretRecord::None || matches!(holds, Holds::Token { .. })
        }
        SecretView::Absent | SecretView::Foreign | SecretView::LeftBehind { .. } => false,
    }
}

/// The key may authenticate: see that its Secret is right and its renewal in time.
fn in_force(
    observed: &Observed,
    parent: &FoundParent,
    token: token::Recorded,
    renewal: token::Renewal,
    now: DateTime<Utc>,
) -> Decision {
    let key = &observed.key;
    let current = token.current.clone();
    let expired = current.expires_at <= now;
    let owned = match &observed.secret {
        SecretView::Owned(secret) => Some(secret),
        SecretView::Absent => None,
        SecretView::Foreign | SecretView::LeftBehind { .. } if expired => return over(observed, token, None),
        SecretView::Foreign | SecretView::LeftBehind { .. } => return lost_secret(observed, token, now),
    };
    let not_written = observed.failed.has(Step::Secret);
    let refusal = match renewal {
        _ if not_written => observed.failed.why(Step::Secret),
        token::Renewal::NotDue => None,
        token::Renewal::Due(Err(why)) => Some(why),
        // What the Secret holds is recorded first; only then is it succeeded.
        token::Renewal::Due(Ok(_)) if token.is_news() => None,
        token::Renewal::Due(Ok(expires_at)) => {
            return staged(
                observed,
                now,
                order(observed, parent, Term::new(key, now, expires_at), owned, now),
            );
        }
    };
    if expired {
        return over(observed, token, refusal);
    }
    let then = match owned.map(|secret| &secret.holds) {
        Some(Holds::Unread) => None,
        _ if not_written => None,
        Some(Holds::Token { sha256, as_requested }) if *sha256 == current.sha256 => {
            (!as_requested).then(|| Action::RepairSecret(Box::new(token.record())))
        }
        Some(Holds::Nothing | Holds::Token { .. }) | None => {
            if let Some(until) = owned.and_then(|secret| token::just_drawn(secret, now)) {
                return Decision::Wait { until: Some(until.min(token.end())) };
            }
            let same = Term { issued_at: now, ..Term::of(&current) };
            return staged(observed, now, order(observed, parent, same, owned, now));
        }
    };
    let look_again_at = Some(token::next_look(observed, &token, now));
    let state = KeyState::Active;
    let settled = Settled {
        state,
        summary: refusal.map_or_else(|| issued_summary(&current), |refusal| trouble(true, refusal)),
        token: Some(token),
        then,
        look_again_at,
    };
    publish::step::with(observed, settled, now)
}

/// Mints, unless a token that was minted before may still be on its way into the Secret.
fn staged(observed: &Observed, now: DateTime<Utc>, issue: Issue) -> Decision {
    token::staging(observed, now)
        .map_or_else(|| Decision::Issue(Box::new(issue)), |until| Decision::Wait { until: Some(until) })
}

/// The token's time has passed; `refusal` says why it has no successor, where one was requested.
fn over(observed: &Observed, token: token::Recorded, refusal: Option<(Reason, String)>) -> Decision {
    let summary = expired_summary(&token.current, refusal.map(|(_, why)| why));
    with_token(Settled::decision(KeyState::Expired, summary), token, true, observed)
}

/// Someone put a Secret of their own in place of the key's. The token still authenticates whoever holds it.
fn lost_secret(observed: &Observed, token: token::Recorded, now: DateTime<Utc>) -> Decision {
    let conflict = secret_conflict(observed, now);
    Settled {
        state: KeyState::Active,
        summary: Summary { active: Some(true), ..conflict.summary },
        look_again_at: conflict.look_again_at.map(|at| at.min(token.end())),
        token: Some(token),
        then: None,
    }
    .into()
}
