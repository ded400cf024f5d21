//! From a verdict to a plan: the status it means, the audit entries that tell what changed, and the order of steps.

use chrono::{DateTime, Utc};

use super::token::{Change, Recorded};
use super::{Action, Observed, Plan, SecretView, Settled, Verdict};
use crate::api::access_key::{AccessKeyStatus, KeyState, TokenStatus};
use crate::api::shared::AuditEntry;
use crate::domain::audit::{self, Happening};
use crate::domain::conditions::last_reason;
use crate::domain::reason::Reason;
use crate::domain::time::rfc3339;

pub(super) fn finish(observed: &Observed, verdict: Verdict, now: DateTime<Utc>) -> Plan {
    match verdict {
        Verdict::Wait { until } => Plan {
            actions: Vec::new(),
            look_again_at: until,
        },
        Verdict::Issue(issue) => Plan {
            actions: vec![Action::Issue(issue)],
            look_again_at: None,
        },
        Verdict::Settle(settled) => {
            let entries = entries(observed, &settled, now);
            let status = status(observed, &settled, &entries, now);
            let mut actions: Vec<Action> = entries.into_iter().map(Action::Audit).collect();
            if status != observed.key.status {
                actions.push(Action::WriteStatus(Box::new(status)));
            }
            actions.extend(settled.then);
            Plan {
                actions,
                look_again_at: settled.look_again_at,
            }
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
    let Settled {
        state,
        summary,
        token,
        then,
        ..
    } = settled;
    let conditions = summary.conditions(&before.conditions, key.generation, now);
    let audit_log = audit::merge(&before.audit_log, entries, audit::KEY_LOG);
    let (token, previous_token, service_account_uid) = match token {
        Some(Recorded {
            current,
            previous,
            service_account_uid,
            ..
        }) => (
            Some(current.clone()),
            previous.clone(),
            Some(service_account_uid.clone()),
        ),
        None => (
            before.token.clone(),
            before.previous_token.clone(),
            before.service_account_uid.clone(),
        ),
    };
    // A Secret that is about to be written again, or that has nothing to check, has no checked version.
    let expired = token.as_ref().is_some_and(|token| token.expires_at <= now);
    let secret_resource_version = match secret {
        SecretView::Owned(secret) if then.is_none() && !expired => Some(secret.resource_version.clone()),
        SecretView::Owned(_) | SecretView::Absent | SecretView::Foreign => None,
    };
    AccessKeyStatus {
        observed_generation: key.generation,
        state: Some(*state),
        secret_name: token.as_ref().map(|_| key.owner().secret_name().to_owned()),
        secret_resource_version,
        token,
        next_token: None,
        previous_token,
        service_account_uid,
        last_used_at: before.last_used_at,
        conditions,
        audit_log,
    }
}

fn entries(observed: &Observed, settled: &Settled, now: DateTime<Utc>) -> Vec<AuditEntry> {
    let Observed { key, secret, .. } = observed;
    let Settled {
        state,
        summary,
        token,
        then,
        ..
    } = settled;
    let current = token
        .as_ref()
        .map(|token| &token.current)
        .or(key.status.token.as_ref());
    let entry = |reason, actor: &str, token: Option<&TokenStatus>, message: String, occurrence: &str| {
        let key_id = token.map(|token| token.id.clone());
        Happening {
            reason,
            actor: actor.into(),
            object: key.target(),
            key_id,
            message,
        }
        .entry(occurrence, now)
    };
    let changes = token.as_ref().map_or(&[][..], |token| &token.changes);
    let mut entries: Vec<AuditEntry> = changes
        .iter()
        .map(|change| {
            let (reason, about, message) = told(observed, settled, change);
            let id = about.map(|token| token.id.clone()).unwrap_or_default();
            entry(reason, audit::CONTROLLER, about, message, &id)
        })
        .collect();
    let before = last_reason(&key.status.conditions);
    let new_token = changes.iter().any(|change| !matches!(change, Change::Retired(_)));
    if before != Some(summary.reason.as_str()) {
        let by_a_person = [Reason::Inactive.as_str(), Reason::ServiceAccountInactive.as_str()];
        let told = match (state, summary.reason) {
            (KeyState::Active, Reason::Issued) => {
                let actor = if before.is_some_and(|r| by_a_person.contains(&r)) {
                    audit::UNKNOWN
                } else {
                    audit::CONTROLLER
                };
                (!new_token).then_some((Reason::Activated, actor))
            }
            (_, reason) if by_a_person.contains(&reason.as_str()) => Some((reason, audit::UNKNOWN)),
            (_, reason) => Some((reason, audit::CONTROLLER)),
        };
        entries.extend(told.map(|(reason, actor)| {
            entry(
                reason,
                actor,
                current,
                summary.message.clone(),
                &key.resource_version,
            )
        }));
    }
    if let (Some(Action::RepairSecret), SecretView::Owned(secret)) = (then, secret) {
        let message = format!(
            "Secret \"{}\" was written again with the same token",
            key.owner().secret_name()
        );
        entries.push(entry(
            Reason::SecretRepaired,
            audit::CONTROLLER,
            current,
            message,
            &secret.resource_version,
        ));
    }
    entries
}

fn told<'a>(
    observed: &'a Observed,
    settled: &'a Settled,
    change: &'a Change,
) -> (Reason, Option<&'a TokenStatus>, String) {
    let current = settled.token.as_ref().map(|token| &token.current);
    let id = current.map(|token| token.id.as_str()).unwrap_or_default();
    let expires = current.map(|token| rfc3339(token.expires_at)).unwrap_or_default();
    let old = observed
        .key
        .status
        .token
        .as_ref()
        .map(|token| token.id.as_str())
        .unwrap_or_default();
    let secret = observed.key.owner().secret_name();
    match change {
        Change::First => (
            Reason::Issued,
            current,
            format!("Key {id} issued into Secret \"{secret}\"; expires {expires}"),
        ),
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
        Change::Retired(token) => (
            Reason::PreviousTokenRetired,
            Some(token),
            format!("Key {} is no longer accepted", token.id),
        ),
    }
}
