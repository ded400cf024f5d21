//! From a verdict to a plan: the status it means, the audit entries that tell what changed, and the order of steps.

use chrono::{DateTime, Utc};

use super::token::{self, Change, Recorded};
use super::{Action, Observed, OwnedSecret, Plan, SecretView, Settled, Verdict};
use crate::api::access_key::{AccessKeyStatus, KeyState, TokenStatus};
use crate::api::shared::AuditEntry;
use crate::domain::audit::{self, Happening};
use crate::domain::conditions::last_reason;
use crate::domain::reason::Reason;
use crate::domain::secret::Holds;
use crate::domain::time::rfc3339;

pub(super) fn finish(observed: &Observed, verdict: Verdict, now: DateTime<Utc>) -> Plan {
    match verdict {
        Verdict::Wait { until } => Plan { actions: Vec::new(), look_again_at: until },
        Verdict::Issue(issue) => Plan { actions: vec![Action::Issue(issue)], look_again_at: None },
        Verdict::Settle(settled) => {
            let entries = entries(observed, &settled, now);
            let status = status(observed, &settled, &entries, now);
            let mut actions: Vec<Action> = entries.into_iter().map(Action::Audit).collect();
            if status != observed.key.status {
                actions.push(Action::WriteStatus(Box::new(status)));
            }
            actions.extend(settled.then);
            let moments = [settled.look_again_at, token::staging(observed, now)];
            Plan { actions, look_again_at: moments.into_iter().flatten().min() }
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
    let conditions = summary.conditions(&before.conditions, key.generation, now);
    let audit_log = audit::merge(&before.audit_log, entries, audit::KEY_LOG);
    let (token, previous_token, service_account_uid) = match token {
        Some(Recorded { current, previous, service_account_uid, .. }) => {
            (Some(current.clone()), previous.clone(), Some(service_account_uid.clone()))
        }
        None => (before.token.clone(), before.previous_token.clone(), before.service_account_uid.clone()),
    };
    let current = token.as_ref();
    let expired = current.is_some_and(|token| token.expires_at <= now);
    // Only a Secret that was found right counts as checked: any other is looked at again once the key is in force.
    let checked = match secret {
        SecretView::Owned(OwnedSecret { holds: Holds::Unread, record, .. }) => !(expired && record.is_some()),
        SecretView::Owned(OwnedSecret { holds: Holds::Nothing, record, .. }) => expired && record.is_none(),
        SecretView::Owned(OwnedSecret { holds: Holds::Token { sha256, as_asked }, .. }) => {
            *as_asked && !expired && current.is_some_and(|token| token.sha256 == *sha256)
        }
        SecretView::Absent | SecretView::Foreign => false,
    };
    let secret_resource_version = match secret {
        SecretView::Owned(secret) if checked && then.is_none() => Some(secret.resource_version.clone()),
        SecretView::Owned(_) | SecretView::Absent | SecretView::Foreign => None,
    };
    AccessKeyStatus {
        observed_generation: key.generation,
        state: Some(*state),
        secret_name: token.as_ref().map(|_| key.owner().secret_name().to_owned()),
        secret_resource_version,
        token,
        // One that may still be on its way into the Secret stays good.
        next_token: token::staging(observed, now).and(before.next_token.clone()),
        previous_token,
        service_account_uid,
        published: before.published.clone(),
        expiry_notice: before.expiry_notice,
        last_used_at: before.last_used_at,
        conditions,
        audit_log,
    }
}

/// The audit entries for what is new, compared with the recorded status.
fn entries(observed: &Observed, settled: &Settled, now: DateTime<Utc>) -> Vec<AuditEntry> {
    let Observed { key, .. } = observed;
    let changes = settled.token.as_ref().map_or(&[][..], |token| &token.changes);
    let of_tokens = changes.iter().map(|change| {
        let (reason, about, message) = told(observed, settled, change);
        let id = about.map(|token| token.id.clone()).unwrap_or_default();
        (
            Happening {
                reason,
                actor: audit::CONTROLLER.into(),
                object: key.target(),
                key_id: Some(id.clone()),
                message,
            },
            id,
        )
    });
    let since = audit::since(&key.status.audit_log, &key.target(), key.generation);
    let of_state = transition(observed, settled).map(|happening| (happening, since));
    let of_secret = repair(observed, settled);
    let all = of_tokens.chain(of_state).chain(of_secret);
    all.map(|(happening, occurrence)| happening.entry(&occurrence, now)).collect()
}

/// What the change of the reason tells.
fn transition(observed: &Observed, settled: &Settled) -> Option<Happening> {
    let Observed { key, .. } = observed;
    let Settled { state, summary, token, .. } = settled;
    let switched_off = |reason: &str| {
        [Reason::Inactive, Reason::ServiceAccountInactive].iter().any(|known| known.as_str() == reason)
    };
    let before = last_reason(&key.status.conditions);
    if before == Some(summary.reason.as_str()) {
        return None;
    }
    let switched_on = before.is_some_and(switched_off);
    let changes = token.as_ref().map_or(&[][..], |token| &token.changes);
    let (reason, actor) = match (state, summary.reason) {
        // A first token tells that the key authenticates; a later one does not tell that it was switched on.
        (KeyState::Active, Reason::Issued) if changes.contains(&Change::First) => return None,
        // It never stopped authenticating.
        (KeyState::Active, Reason::Issued) if key.status.state == Some(KeyState::Active) => return None,
        (KeyState::Active, Reason::Issued) if switched_on => (Reason::Activated, audit::UNKNOWN),
        (KeyState::Active, Reason::Issued) if token.as_ref().is_some_and(Recorded::is_news) => return None,
        (KeyState::Active, Reason::Issued) => (Reason::Activated, audit::CONTROLLER),
        (_, reason) if switched_off(reason.as_str()) => (reason, audit::UNKNOWN),
        (_, reason) => (reason, audit::CONTROLLER),
    };
    let current = token.as_ref().map(|token| &token.current).or(key.status.token.as_ref());
    Some(Happening {
        reason,
        actor: actor.into(),
        object: key.target(),
        key_id: current.map(|token| token.id.clone()),
        message: summary.message.clone(),
    })
}

fn repair(observed: &Observed, settled: &Settled) -> Option<(Happening, String)> {
    let Observed { key, secret, .. } = observed;
    let (Some(Action::RepairSecret), SecretView::Owned(secret)) = (&settled.then, secret) else {
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

fn told<'a>(
    observed: &'a Observed,
    settled: &'a Settled,
    change: &'a Change,
) -> (Reason, Option<&'a TokenStatus>, String) {
    let current = settled.token.as_ref().map(|token| &token.current);
    let id = current.map(|token| token.id.as_str()).unwrap_or_default();
    let expires = current.map(|token| rfc3339(token.expires_at)).unwrap_or_default();
    let old = observed.key.status.token.as_ref().map(|token| token.id.as_str()).unwrap_or_default();
    let secret = observed.key.owner().secret_name();
    match change {
        Change::First => {
            (Reason::Issued, current, format!("Key {id} issued into Secret \"{secret}\"; expires {expires}"))
        }
        Change::Rotated => {
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
        Change::Reissued => (
            Reason::Reissued,
            current,
            format!(
                "Key {id} issued into Secret \"{secret}\", which no longer held key {old}; expires {expires}; key \
                 {old} is no longer accepted"
            ),
        ),
        Change::Retired(token) => {
            (Reason::PreviousTokenRetired, Some(token), format!("Key {} is no longer accepted", token.id))
        }
    }
}
