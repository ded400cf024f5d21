//! From a decision to a plan: the status it means, the audit entries that tell what changed, and the order of
//! steps.

use chrono::{DateTime, Utc};

use crate::api::access_key::{AccessKeyStatus, KeyState, PublishedStatus, TokenStatus};
use crate::api::reason::Reason;
use crate::api::shared::AuditEntry;
use crate::domain::access_key::decision::{Decision, Settled};
use crate::domain::access_key::expiry;
use crate::domain::access_key::messages::{expiring, revision_remark};
use crate::domain::access_key::observed::{Observed, OwnedSecret, Parent, SecretView};
use crate::domain::access_key::plan::{Action, Plan};
use crate::domain::access_key::publish::step;
use crate::domain::access_key::record::{Distrust, Record, SecretRecord};
use crate::domain::access_key::secret::Holds;
use crate::domain::access_key::token;
use crate::domain::access_key::token::{Recorded, TokenChange};
use crate::domain::access_key::unused::usage::Usage;
use crate::domain::audit;
use crate::domain::audit::entry::Happening;
use crate::domain::refused::Step;
use crate::domain::value::time::rfc3339;

pub(super) fn finish(observed: &Observed, decision: Decision, now: DateTime<Utc>) -> Plan {
    match decision {
        Decision::Wait { until } => Plan { actions: Vec::new(), look_again_at: until },
        Decision::Issue(issue) => Plan::only(Action::Issue(issue)),
        Decision::Clear { uid } => Plan::only(Action::DeleteLeftBehind { uid }),
        Decision::Publish(tokens) => Plan::only(Action::Publish(tokens)),
        Decision::Settle(settled) => {
            let entries = entries(observed, &settled, now);
            let status = status(observed, &settled, &entries, now);
            let leftover = settled.state != KeyState::Active
                && !observed.published.secrets.is_empty()
                && !observed.failed.has(Step::Published);
            let next_notice = notable(observed, &settled).and_then(|token| expiry::next(token, now));
            let next_of_use = Usage::of(observed, &settled, now).next();
            let moments = [settled.look_again_at, token::staging(observed, now), next_notice, next_of_use];
            let look_again_at = moments.into_iter().flatten().min();
            let writes = leftover.then_some(Action::Unpublish).into_iter().chain(settled.then);
            let writes: Vec<Action> = writes.collect();
            if !writes.is_empty() && is_tried_again(&observed.key.status, &status) {
                return Plan { actions: writes, look_again_at };
            }
            let mut actions: Vec<Action> = entries.into_iter().map(Box::new).map(Action::Audit).collect();
            if status != observed.key.status || is_unsealed(&status) || observed.key.distrust.is_some() {
                actions.push(Action::WriteStatus(Box::new(status)));
            }
            // The status says first that the key is not good any more.
            actions.extend(writes);
            Plan { actions, look_again_at }
        }
    }
}

fn status(
    observed: &Observed,
    settled: &Settled,
    entries: &[AuditEntry],
    now: DateTime<Utc>,
) -> AccessKeyStatus {
    let Observed { key, secret, .. } = observed;
    let before = &key.status;
    let Settled { state, summary, token, then, .. } = settled;
    let mut conditions = summary.conditions(&before.conditions, key.object.generation, now);
    let expiry_notice = notable(observed, settled).and_then(|token| expiry::due(token, now));
    if let (Some(_), Some(current)) = (expiry_notice, settled.token.as_ref().map(|token| &token.current)) {
        conditions.push(expiring(current).condition(&before.conditions, key.object.generation, now));
    }
    let recorded = settled.token.as_ref().map(|token| &token.current).or(before.token.as_ref());
    let not_rotated = recorded.and_then(|last| revision_remark(&key.spec, last));
    conditions.extend(not_rotated.map(|said| said.condition(&before.conditions, key.object.generation, now)));
    let refused = observed.failed.remark();
    conditions.extend(refused.map(|said| said.condition(&before.conditions, key.object.generation, now)));
    let usage = Usage::of(observed, settled, now);
    conditions
        .extend(usage.remark().map(|said| said.condition(&before.conditions, key.object.generation, now)));
    let audit_log = audit::merge(&before.audit_log, entries, audit::KEY_LOG);
    let (token, previous_token, service_account_uid, serial) = match token {
        Some(Recorded { current, previous, service_account_uid, serial, changes: _ }) => {
            (Some(current.clone()), previous.clone(), Some(service_account_uid.clone()), Some(*serial))
        }
        None => (
            before.token.clone(),
            before.previous_token.clone(),
            before.service_account_uid.clone(),
            before.serial,
        ),
    };
    let current = token.as_ref();
    let expired = current.is_some_and(|token| token.expires_at <= now);
    // Only a Secret that was found right counts as checked: any other is looked at again once the key is in
    // force.
    let checked = match secret {
        SecretView::Owned(OwnedSecret { holds: Holds::Unread, record, .. }) => {
            !(expired && *record != SecretRecord::None)
        }
        SecretView::Owned(OwnedSecret { holds: Holds::Nothing, record, .. }) => {
            expired && *record == SecretRecord::None
        }
        SecretView::Owned(OwnedSecret { holds: Holds::Token { sha256, as_requested }, .. }) => {
            *as_requested && !expired && current.is_some_and(|token| token.sha256 == *sha256)
        }
        SecretView::Absent | SecretView::Foreign | SecretView::LeftBehind { .. } => false,
    };
    let secret_resource_version = match secret {
        SecretView::Owned(secret) if checked && then.is_none() => Some(secret.resource_version.clone()),
        SecretView::Owned(_) | SecretView::Absent | SecretView::Foreign | SecretView::LeftBehind { .. } => {
            None
        }
    };
    let after = AccessKeyStatus {
        observed_generation: key.object.generation,
        state: Some(*state),
        reason: Some(summary.reason),
        secret_name: token.as_ref().map(|_| key.owner().secret_name().to_owned()),
        secret_resource_version,
        token,
        // One that may still be on its way into the Secret stays good.
        next_token: token::staging(observed, now).and(before.next_token.clone()),
        previous_token,
        serial,
        seal: None,
        service_account_uid,
        published: step::recorded(observed),
        expiry_notice,
        last_used_at: before.last_used_at,
        usage_recorded_since: observed.policy.usage_recorded_since,
        unused_counted_from: usage.counted_from,
        unused_warned_at: usage.warned_at(),
        refused: observed.failed.recorded(),
        conditions,
        audit_log,
    };
    // A seal is good as long as what it was made for stays as it is. What changed is sealed as it is written.
    let kept = before.seal.clone().filter(|_| Record::of_status(before) == Record::of_status(&after));
    AccessKeyStatus { seal: kept, ..after }
}

/// Whether status has said already what holds if the writes that were refused last are refused again: then
/// they come first, so that it need not say in between that nothing is refused.
fn is_tried_again(before: &AccessKeyStatus, after: &AccessKeyStatus) -> bool {
    let said =
        |status: &AccessKeyStatus| (status.state, status.observed_generation, Record::of_status(status));
    !before.refused.is_empty() && after.refused.is_empty() && said(before) == said(after)
}

fn is_unsealed(status: &AccessKeyStatus) -> bool {
    status.seal.is_none() && Record::of_status(status).is_some()
}

/// The entry for tokens that status named and nobody vouches for.
fn refused_tokens(observed: &Observed) -> Option<(Happening, String)> {
    let Observed { key, .. } = observed;
    let message = match key.distrust? {
        Distrust::NotSealed => {
            "Status named a token that the controller did not seal for this key; no token but the controller's is good"
        }
        Distrust::UnknownSealer => {
            "Status named a token that was sealed by a key which this controller does not know, as after a restore; \
             it is refused, and the key gets a new one"
        }
    };
    let happening = Happening {
        reason: Reason::NotSealed,
        actor: audit::CONTROLLER.into(),
        object: key.target(),
        key_id: None,
        message: message.into(),
    };
    Some((happening, key.object.resource_version.clone()))
}

/// The audit entries for what is new, compared with the recorded status.
fn entries(observed: &Observed, settled: &Settled, now: DateTime<Utc>) -> Vec<AuditEntry> {
    let Observed { key, .. } = observed;
    let changes = settled.token.as_ref().map_or(&[][..], |token| &token.changes);
    let raised = key.status.token.as_ref().is_some_and(|before| token::is_raised(&key.spec, before));
    let of_tokens = changes.iter().map(|change| {
        let (reason, about, message) = of_change(observed, settled, change);
        let by_user = raised && *change == TokenChange::Rotated;
        let id = about.map(|token| token.id.clone()).unwrap_or_default();
        (
            Happening {
                reason,
                actor: if by_user { key.object.changed_by.clone() } else { audit::CONTROLLER.into() },
                object: key.target(),
                key_id: Some(id.clone()),
                message,
            },
            id,
        )
    });
    let since = audit::since(&key.status.audit_log, &key.target(), key.object.generation);
    let of_copies = copies(observed, settled, &since);
    let of_state = transition(observed, settled).map(|happening| (happening, since.clone()));
    let refused = refused_tokens(observed);
    let of_secret = repair(observed, settled);
    let of_expiry = expiry_notice(observed, settled, now);
    let of_use = Usage::of(observed, settled, now).warning(observed, settled);
    let of_writes = observed.failed.news(&key.status.refused, &key.target(), &since, now);
    let others = of_tokens.chain(of_state).chain(of_secret).chain(of_copies).chain(of_expiry).chain(of_use);
    let entry = |(happening, occurrence): (Happening, String)| happening.entry(&occurrence, now);
    refused.map(entry).into_iter().chain(of_writes).chain(others.map(entry)).collect()
}

/// The entry for a change of the reason.
fn transition(observed: &Observed, settled: &Settled) -> Option<Happening> {
    let Observed { key, .. } = observed;
    let Settled { state, summary, token, .. } = settled;
    let switched_off = |reason| matches!(reason, Reason::Inactive | Reason::ServiceAccountInactive);
    let before = key.status.reason;
    if !audit::is_new(summary.reason, before, key.status.observed_generation) {
        return None;
    }
    // What was refused has an entry of its own.
    if observed.failed.is_told_by(summary.reason) {
        return None;
    }
    let switched_on = before.is_some_and(switched_off);
    let changes = token.as_ref().map_or(&[][..], |token| &token.changes);
    let of_parent = Some(Reason::ServiceAccountInactive);
    let user =
        |by_parent: bool| if by_parent { changed_parent(observed) } else { key.object.changed_by.clone() };
    let in_force = [Reason::Issued, Reason::Publishing].contains(&summary.reason);
    let (reason, actor) = match (state, summary.reason) {
        // A first token tells that the key authenticates, and no token tells that it was switched on.
        (KeyState::Active, _) if in_force && changes.contains(&TokenChange::First) && !switched_on => {
            return None;
        }
        // It never stopped authenticating.
        (KeyState::Active, _) if in_force && key.status.state == Some(KeyState::Active) => return None,
        (KeyState::Active, _) if in_force && switched_on => (Reason::Activated, user(before == of_parent)),
        (KeyState::Active, _) if in_force && before == Some(Reason::Unused) => {
            let touched = key.status.observed_generation != key.object.generation;
            (
                Reason::Activated,
                if touched { key.object.changed_by.clone() } else { audit::CONTROLLER.into() },
            )
        }
        (KeyState::Active, _) if in_force && token.as_ref().is_some_and(Recorded::is_news) => return None,
        (KeyState::Active, _) if in_force => (Reason::Activated, audit::CONTROLLER.into()),
        (_, reason) if switched_off(reason) => (reason, user(Some(reason) == of_parent)),
        (_, reason) => (reason, audit::CONTROLLER.into()),
    };
    let current = token.as_ref().map(|token| &token.current).or(key.status.token.as_ref());
    Some(Happening {
        reason,
        actor,
        object: key.target(),
        key_id: current.map(|token| token.id.clone()),
        message: summary.message.clone(),
    })
}

/// Who changed the service account last.
fn changed_parent(observed: &Observed) -> String {
    match &observed.service_account {
        Parent::Found(parent) => parent.changed_by.clone(),
        Parent::Missing | Parent::Gone => audit::UNKNOWN.to_owned(),
    }
}

/// The token whose expiry is to be told ahead: one in force that nothing renews.
fn notable<'a>(observed: &Observed, settled: &'a Settled) -> Option<&'a TokenStatus> {
    let current = settled.token.as_ref().map(|token| &token.current);
    current.filter(|_| settled.state == KeyState::Active && observed.key.spec.rotation.is_none())
}

/// A notice that is due and was not given yet.
fn expiry_notice(observed: &Observed, settled: &Settled, now: DateTime<Utc>) -> Option<(Happening, String)> {
    let Observed { key, .. } = observed;
    let token = notable(observed, settled)?;
    let notice = expiry::due(token, now)?;
    let same_token = key.status.token.as_ref().is_some_and(|before| before.id == token.id);
    if same_token && key.status.expiry_notice == Some(notice) {
        return None;
    }
    let happening = Happening {
        reason: Reason::Expiring,
        actor: audit::CONTROLLER.into(),
        object: key.target(),
        key_id: Some(token.id.clone()),
        message: format!(
            "Key {} expires within {}, at {}; raise spec.revision or set spec.rotation for a new token",
            token.id,
            expiry::words(notice),
            rfc3339(token.expires_at)
        ),
    };
    Some((happening, format!("{}/{}", token.id, expiry::words(notice))))
}

/// Published Secrets that came or went.
fn copies(observed: &Observed, settled: &Settled, since: &str) -> Vec<(Happening, String)> {
    let Observed { key, published, .. } = observed;
    let known = &key.status.published;
    let checked = published.secrets.iter().filter(|secret| secret.checked).map(|secret| &secret.id);
    let came =
        checked.filter(|id| !known.iter().any(|old| old.namespace == id.namespace && old.name == id.name));
    let exists = |old: &&PublishedStatus| {
        published
            .secrets
            .iter()
            .any(|secret| secret.id.namespace == old.namespace && secret.id.name == old.name)
    };
    let went = known.iter().filter(|old| !exists(old));
    let happening = |reason: Reason, namespace: &str, name: &str, what: &str| {
        let happening = Happening {
            reason,
            actor: audit::CONTROLLER.into(),
            object: key.target(),
            key_id: settled.token.as_ref().map(|token| token.current.id.clone()),
            message: format!("Secret \"{name}\" in namespace \"{namespace}\" {what}"),
        };
        (happening, format!("{since}/{namespace}/{name}"))
    };
    let came =
        came.map(|id| happening(Reason::Published, &id.namespace, &id.name, "was published for a gateway"));
    let went =
        went.map(|old| happening(Reason::Unpublished, &old.namespace, &old.name, "is no longer published"));
    came.chain(went).collect()
}

fn repair(observed: &Observed, settled: &Settled) -> Option<(Happening, String)> {
    let Observed { key, secret, .. } = observed;
    let (Some(Action::RepairSecret(_)), SecretView::Owned(secret)) = (&settled.then, secret) else {
        return None;
    };
    let happening = Happening {
        reason: Reason::SecretRepaired,
        actor: audit::CONTROLLER.into(),
        object: key.target(),
        key_id: settled.token.as_ref().map(|token| token.current.id.clone()),
        message: format!("Secret \"{}\" was written again with the same token", key.owner().secret_name()),
    };
    Some((happening, secret.resource_version.clone()))
}

fn of_change<'a>(
    observed: &'a Observed,
    settled: &'a Settled,
    change: &'a TokenChange,
) -> (Reason, Option<&'a TokenStatus>, String) {
    let current = settled.token.as_ref().map(|token| &token.current);
    let id = current.map(|token| token.id.as_str()).unwrap_or_default();
    let expires = current.map(|token| rfc3339(token.expires_at)).unwrap_or_default();
    let old = observed.key.status.token.as_ref().map(|token| token.id.as_str()).unwrap_or_default();
    let secret = observed.key.owner().secret_name();
    match change {
        TokenChange::First => {
            (Reason::Issued, current, format!("Key {id} issued into Secret \"{secret}\"; expires {expires}"))
        }
        TokenChange::Rotated => {
            let previous = settled.token.as_ref().and_then(|token| token.previous.as_ref());
            let old_one = previous.map_or_else(
                || format!("key {old} is no longer accepted"),
                |previous| format!("key {old} is accepted until {}", rfc3339(previous.valid_until)),
            );
            (
                Reason::Rotated,
                current,
                format!("Key {id} issued into Secret \"{secret}\"; expires {expires}; {old_one}"),
            )
        }
        TokenChange::Reissued => (
            Reason::Reissued,
            current,
            format!(
                "Key {id} issued into Secret \"{secret}\", which no longer held key {old}; expires {expires}; key \
                 {old} is no longer accepted"
            ),
        ),
        TokenChange::Retired(token) => {
            (Reason::PreviousTokenRetired, Some(token), format!("Key {} is no longer accepted", token.id))
        }
    }
}
