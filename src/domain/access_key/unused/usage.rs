//! How the account's policy about unused keys stands to one key.

use chrono::{DateTime, Utc};

use crate::api::access_key::KeyState;
use crate::domain::access_key::messages::unused_remark;
use crate::domain::access_key::unused::policy;
use crate::domain::access_key::unused::policy::Standing;
use crate::domain::access_key::{Observed, Settled};
use crate::domain::audit;
use crate::domain::audit::entry::Happening;
use crate::domain::audit::reason::Reason;
use crate::domain::conditions::{Remark, last_reason};
use crate::domain::value::time::rfc3339;

/// How it stands with the use of a key that is in force, or would be.
pub(in crate::domain::access_key) fn standing(observed: &Observed, now: DateTime<Utc>) -> Standing {
    let Observed { key, unused, usage_recorded_since, .. } = observed;
    // Gateways with a copy of the token ask no verifier.
    if key.spec.publish.iter().flatten().next().is_some() {
        return Standing::Unwatched;
    }
    let others = [Some(key.created), key.status.last_used_at, counted_from(observed, now)];
    let since =
        usage_recorded_since.map(|recorded| others.into_iter().flatten().fold(recorded, DateTime::max));
    policy::standing(unused.as_ref(), since, key.status.unused_warned_at, now)
}

/// When somebody last changed the key or switched it on: whoever does that means to use it.
pub(in crate::domain::access_key) fn counted_from(
    observed: &Observed,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let Observed { key, unused, .. } = observed;
    unused.as_ref()?;
    let before = &key.status;
    let changed = before.observed_generation >= 0 && before.observed_generation != key.generation;
    let was_off = before.state == Some(KeyState::Inactive)
        && last_reason(&before.conditions) != Some(Reason::Unused.as_str());
    if changed || was_off { Some(now) } else { before.unused_counted_from }
}

/// The same for what is to be recorded.
pub(in crate::domain::access_key) struct Usage {
    standing: Standing,
    pub(in crate::domain::access_key) counted_from: Option<DateTime<Utc>>,
}

impl Usage {
    pub(in crate::domain::access_key) fn of(
        observed: &Observed,
        settled: &Settled,
        now: DateTime<Utc>,
    ) -> Self {
        if settled.state == KeyState::Active || settled.summary.reason == Reason::Unused {
            Self { standing: standing(observed, now), counted_from: counted_from(observed, now) }
        } else {
            let counted_from = observed.key.status.unused_counted_from.filter(|_| observed.unused.is_some());
            Self { standing: Standing::Unwatched, counted_from }
        }
    }

    pub(in crate::domain::access_key) fn warned_at(&self) -> Option<DateTime<Utc>> {
        match self.standing {
            Standing::Warned { at, .. } | Standing::Off { warned_at: at, .. } => Some(at),
            Standing::Unwatched | Standing::InUse { .. } => None,
        }
    }

    /// When it will stand otherwise.
    pub(in crate::domain::access_key) fn next(&self) -> Option<DateTime<Utc>> {
        match self.standing {
            Standing::InUse { until } => Some(until),
            Standing::Warned { off_at, .. } => off_at,
            Standing::Unwatched | Standing::Off { .. } => None,
        }
    }

    pub(in crate::domain::access_key) fn remark(&self) -> Option<Remark> {
        match self.standing {
            Standing::Warned { since, off_at, .. } => Some(unused_remark(since, off_at)),
            Standing::Off { since, .. } => Some(unused_remark(since, None)),
            Standing::Unwatched | Standing::InUse { .. } => None,
        }
    }

    /// A warning that is due and was not given yet.
    pub(in crate::domain::access_key) fn warning(
        &self,
        observed: &Observed,
        settled: &Settled,
    ) -> Option<(Happening, String)> {
        let Standing::Warned { since, at, off_at } = self.standing else { return None };
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
