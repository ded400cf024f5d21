//! An account's policy about access keys that nobody uses: first warned about, then switched off.

use chrono::{DateTime, Utc};

use crate::api::account::UnusedAccessKeysSpec;
use crate::api::shared::IsoDuration;
use crate::domain::value::period::Period;

/// An account's policy about unused keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnusedPolicy {
    /// How long a key may be unused before a warning.
    pub warn_after: Period,
    /// How long before it is switched off; `None` only warns.
    pub deactivate_after: Option<Period>,
}

impl UnusedPolicy {
    /// The policy that an account asks for. A duration that does not parse makes it none: nothing is switched
    /// off for it.
    pub fn from_spec(spec: Option<&UnusedAccessKeysSpec>) -> Option<Self> {
        let spec = spec?;
        let warn_after = Period::parse(&spec.warn_after.0).ok()?;
        let deactivate_after =
            spec.deactivate_after.as_ref().map(|text| Period::parse(&text.0)).transpose().ok()?;
        Some(Self { warn_after, deactivate_after })
    }

    /// What is wrong with it, as a sentence.
    pub fn problem(&self, now: DateTime<Utc>) -> Option<String> {
        let Self { warn_after, deactivate_after } = self;
        let off = (*deactivate_after)?;
        (off.after(now) <= warn_after.after(now)).then(|| {
            format!(
                "spec.unusedAccessKeys.deactivateAfter is {off} and spec.unusedAccessKeys.warnAfter is {warn_after}; \
                 the warning must come first, so no key is switched off"
            )
        })
    }

    /// The policy as a sentence goes on with it.
    pub fn words(&self) -> String {
        let Self { warn_after, deactivate_after } = self;
        let off = deactivate_after.map_or_else(String::new, |off| format!(" and switched off after {off}"));
        format!("; unused keys are warned about after {warn_after}{off}")
    }

    /// The policy as status records it.
    pub fn recorded(&self) -> UnusedAccessKeysSpec {
        let Self { warn_after, deactivate_after } = self;
        let duration = |period: &Period| IsoDuration(period.to_string());
        UnusedAccessKeysSpec {
            warn_after: duration(warn_after),
            deactivate_after: deactivate_after.as_ref().map(duration),
        }
    }
}
