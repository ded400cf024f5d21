//! What the account's policy about unused keys means for one key.

use chrono::{DateTime, Utc};

use crate::api::access_key::KeyState;
use crate::api::reason::Reason;
use crate::domain::access_key::decision::Settled;
use crate::domain::access_key::messages::unused_remark;
use crate::domain::access_key::observed::Observed;
use crate::domain::access_key::unused::state::{self, UnusedState};
use crate::domain::audit;
use crate::domain::audit::entry::Happening;
use crate::domain::conditions::Remark;
use crate::domain::value::time::rfc3339;

/// Whether a key that is in force, or would be, is used.
pub(in crate::domain::access_key) fn state(observed: &Observed, now: DateTime<Utc>) -> UnusedState {
    let Observed { key, policy, .. } = observed;
    // Gateways with a copy of the token ask no verifier.
    if key.spec.publish.iter().flatten().next().is_some() {
        return UnusedState::NotCounted;
    }
    let others = [Some(key.object.created), key.status.last_used_at, counted_from(observed, now)];
    let since = policy
        .usage_recorded_since
        .map(|recorded| others.into_iter().flatten().fold(recorded, DateTime::max));
    state::state(policy.unused.as_ref(), since, key.status.unused_warned_at, now)
}

/// When somebody last changed the key or switched it on: whoever does that means to use it.
pub(in crate::domain::access_key) fn counted_from(
    observed: &Observed,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let Observed { key, policy, .. } = observed;
    policy.unused.as_ref()?;
    let before = &key.status;
    let changed = before.observed_generation >= 0 && before.observed_generation != key.object.generation;
    let was_off = before.state == Some(KeyState::Inactive) && before.reason != Some(Reason::Unused);
    if changed || was_off { Some(now) } else { before.unused_counted_from }
}

/// The same for what is to be recorded.
pub(in crate::domain::access_key) struct Usage {
    state: UnusedState,
    pub(in crate::domain::access_key) counted_from: Option<DateTime<Utc>>,
}

impl Usage {
    pub(in crate::domain::access_key) fn of(
        observed: &Observed,
        settled: &Settled,
        now: DateTime<Utc>,
    ) -> Self {
        if settled.state == KeyState::Active || settled.summary.reason == Reason::Unused {
            Self { state: state(observed, now), counted_from: counted_from(observed, now) }
        } else {
            let counted_from =
                observed.key.status.unused_counted_from.filter(|_| observed.policy.unused.is_some());
            Self { state: UnusedState::NotCounted, counted_from }
        }
    }

    pub(in crate::domain::access_key) fn warned_at(&self) -> Option<DateTime<Utc>> {
        match self.state {
            UnusedState::Warned { at, .. } | UnusedState::Off { warned_at: at, .. } => Some(at),
            UnusedState::NotCounted | UnusedState::InUse { .. } => None,
        }
    }

    /// When that changes by itself.
    pub(in crate::domain::access_key) fn next(&self) -> Option<DateTime<Utc>> {
        match self.state {
            UnusedState::InUse { until } => Some(until),
            UnusedState::Warned { off_at, .. } => off_at,
            UnusedState::NotCounted | UnusedState::Off { .. } => None,
        }
    }

    pub(in crate::domain::access_key) fn remark(&self) -> Option<Remark> {
        match self.state {
            UnusedState::Warned { since, off_at, .. } => Some(unused_remark(since, off_at)),
            UnusedState::Off { since, .. } => Some(unused_remark(since, None)),
            UnusedState::NotCounted | UnusedState::InUse { .. } => None,
        }
    }

    /// A warning that is due and was not given yet.
    pub(in crate::domain::access_key) fn warning(
        &self,
        observed: &Observed,
        settled: &Settled,
    ) -> Option<(Happening, String)> {
        let UnusedState::Warned { since, at, off_at } = self.state else { return None };
        if observed.key.status.unused_warned_at == Some(at) {
            return None;
        }
        let happening = Happening {
            reason: Reason::UnusedWarning,
            actor: audit::CONTROLLER.into(),
            object: observed.key.target(),
            key_id: settled.token.as_ref().map(|token| token.current.id.clone()),
            message: unused_remark(since, off_at).message,
        };
        Some((happening, format!("unused/{}", rfc3339(since))))
    }
}
