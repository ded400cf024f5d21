//! Where each reason is met, and what a user can do: by the kind of the object that it is about.

use crate::api::{ConditionType, Kind, Reason};

/// A reason as it is met on objects of one kind.
#[derive(Clone, Copy, Debug)]
pub struct ReasonEntry {
    /// The reason.
    pub reason: Reason,
    /// Where it is met.
    pub places: &'static [Surface],
    /// What to do, as sentences; empty where nothing is.
    pub remedy: &'static str,
}

/// Where a reason is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// In an Event, and in an audit entry.
    Event,
    /// In the condition `Ready`, and in those that go with it: `Active`, `Reconciling` and `Stalled`.
    Ready,
    /// In a condition that says something beside those, and is there only while it is True.
    Remark(ConditionType),
    /// In audit lines of verifiers.
    Line,
}

impl Surface {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "Event",
            Self::Ready => "Ready",
            Self::Remark(type_) => type_.as_str(),
            Self::Line => "audit line",
        }
    }

    /// Where a reason is met that a condition of that type gives.
    pub const fn of(type_: ConditionType) -> Self {
        match type_ {
            ConditionType::Ready
            | ConditionType::Active
            | ConditionType::Reconciling
            | ConditionType::Stalled => Self::Ready,
            ConditionType::Expiring
            | ConditionType::Unused
            | ConditionType::RevisionBehind
            | ConditionType::WriteRefused => Self::Remark(type_),
        }
    }
}

/// The kinds of objects, each with the reasons that are met on it.
pub const KINDS: [(Kind, &[ReasonEntry]); 4] = [
    (Kind::AccessKey, ACCESS_KEY),
    (Kind::ServiceAccount, SERVICE_ACCOUNT),
    (Kind::Account, ACCOUNT),
    (Kind::ResourceGrant, RESOURCE_GRANT),
];

/// Where a refused write is met.
const REFUSED: &[Surface] = &[Surface::Event, Surface::Ready, Surface::of(ConditionType::WriteRefused)];
const EVENT: &[Surface] = &[Surface::Event];
const READY: &[Surface] = &[Surface::Ready];
const BOTH: &[Surface] = &[Surface::Event, Surface::Ready];

const fn entry(reason: Reason, places: &'static [Surface], remedy: &'static str) -> ReasonEntry {
    ReasonEntry { reason, places, remedy }
}

const ADMINS_REFUSED: ReasonEntry = entry(
    Reason::AdminsRefused,
    REFUSED,
    "Change the policy that the message names. `status` lists the admins that RBAC has bound.",
);
const PERMISSION_DENIED: ReasonEntry = entry(
    Reason::PermissionDenied,
    REFUSED,
    "Give the controller's service account the right that the message names: the chart's cluster role has all of them.",
);

const ACCESS_KEY: &[ReasonEntry] = &[
    entry(Reason::Issued, BOTH, ""),
    entry(Reason::Publishing, READY, "Wait. If it stays so, the controller's log says why."),
    entry(Reason::Rotated, EVENT, ""),
    entry(
        Reason::Reissued,
        EVENT,
        "Find out who touched the Secret: the API server's audit log knows. Whoever copied the old token needs the new one.",
    ),
    entry(
        Reason::RevisionBehind,
        &[Surface::of(ConditionType::RevisionBehind)],
        "For a new token, set `spec.revision` to the number that the condition names. Otherwise nothing: the token stays.",
    ),
    entry(
        Reason::RevisionTooFar,
        &[Surface::of(ConditionType::RevisionBehind)],
        "Set `spec.revision` to the number that the condition names, or to one at most 1000 above the last.",
    ),
    entry(Reason::PreviousTokenRetired, EVENT, ""),
    entry(
        Reason::NotSealed,
        EVENT,
        "After a restore it is expected: hand the new token to whoever uses the key. Otherwise find out who may write \
         `accesskeys/status`, and why: `kubectl who-can update accesskeys/status`.",
    ),
    entry(
        Reason::SecretRepaired,
        EVENT,
        "If it repeats, another tool writes to the Secret; `kubectl get secret NAME -o yaml --show-managed-fields` names it.",
    ),
    entry(Reason::Activated, EVENT, ""),
    entry(Reason::Inactive, BOTH, "To use it again, set `spec.state` to `Active`."),
    entry(
        Reason::ServiceAccountInactive,
        BOTH,
        "To use it again, switch its service account on. A key that was made while it was off gets its token then.",
    ),
    entry(
        Reason::UnusedWarning,
        &[Surface::Event, Surface::of(ConditionType::Unused)],
        "Use it, or delete it. A change of its spec starts its time anew.",
    ),
    entry(
        Reason::Unused,
        BOTH,
        "Delete it. To use it again, raise `spec.revision`, or set `spec.state` to `Inactive` and back to `Active`.",
    ),
    entry(
        Reason::Expiring,
        &[Surface::Event, Surface::of(ConditionType::Expiring)],
        "Raise `spec.revision` for a new token, or set `spec.rotation`.",
    ),
    entry(
        Reason::Expired,
        BOTH,
        "Raise `spec.revision` for a new token, or delete the key. With `spec.rotation` it does not happen again.",
    ),
    entry(
        Reason::ServiceAccountNotFound,
        BOTH,
        "Make the service account, or make a new key with the right name, since `spec.serviceAccountName` cannot be \
         changed. A core service account of that name does not count: look with `kubectl get kwsa`.",
    ),
    entry(Reason::ServiceAccountDeleted, BOTH, ""),
    entry(
        Reason::ServiceAccountRejected,
        BOTH,
        "Help the service account first: `kubectl get kwsa -o wide` says why it is not admitted.",
    ),
    entry(
        Reason::KeyLimitExceeded,
        BOTH,
        "Delete a key of the service account; the message names expired or long unused ones. Or raise \
         `limits.accessKeysPerServiceAccount` of the account. The key comes in by itself.",
    ),
    entry(
        Reason::ExpiryOutOfRange,
        BOTH,
        "Choose a `validFor` or `expiresAt` within the limits in the message, or change the account's limits. A fixed \
         `expiresAt` comes closer every day: it can become too near for a new token.",
    ),
    entry(Reason::InvalidRotation, BOTH, "Make `rotation.renewBefore` shorter than `validFor`."),
    entry(
        Reason::InvalidLimits,
        BOTH,
        "Correct the account: its `minValidFor` is longer than its `maxValidFor`.",
    ),
    entry(
        Reason::SecretConflict,
        BOTH,
        "Delete the Secret that the message names, if nobody needs it; the controller looks every 15 seconds. Or make \
         another key with another `spec.secret.name`, which cannot be changed.",
    ),
    entry(Reason::Published, EVENT, ""),
    entry(Reason::Unpublished, EVENT, ""),
    entry(
        Reason::PublishConflict,
        BOTH,
        "Delete the Secret that the message names, if nobody needs it, or choose another name in `spec.publish`. The \
         key's other Secrets are published; the controller looks every 15 seconds.",
    ),
    entry(
        Reason::PublishNotAccepted,
        BOTH,
        "Have the account of the Secret's namespace list what the message names, in `spec.acceptSecretsFrom` or \
         `spec.publishing`, or ask for less.",
    ),
    entry(
        Reason::SecretRefused,
        REFUSED,
        "The message has the API server's words: make room in the quota, change the policy, or delete the immutable Secret. The          controller tries again by itself.",
    ),
    entry(
        Reason::PublishRefused,
        REFUSED,
        "As for `SecretRefused`, in the namespace into which it is published.",
    ),
    entry(
        Reason::DeletionRefused,
        &[Surface::Event, Surface::of(ConditionType::WriteRefused)],
        "Change the policy that the message names, or delete the key by hand. It authenticates no longer.",
    ),
    PERMISSION_DENIED,
];

const SERVICE_ACCOUNT: &[ReasonEntry] = &[
    entry(Reason::Admitted, BOTH, ""),
    entry(Reason::Inactive, BOTH, "To use it again, set `spec.state` to `Active`."),
    entry(Reason::Activated, EVENT, ""),
    entry(
        Reason::ServiceAccountLimitExceeded,
        BOTH,
        "Delete a service account, or raise `limits.serviceAccounts` of the account. It comes in by itself.",
    ),
    entry(
        Reason::DuplicateDisplayName,
        BOTH,
        "Choose another `displayName`, or change that of the one in the message.",
    ),
    entry(Reason::AdminsChanged, EVENT, ""),
    entry(Reason::ResourceGranted, EVENT, ""),
    entry(Reason::ResourceRevoked, EVENT, ""),
    entry(Reason::KeyCreated, EVENT, ""),
    entry(Reason::KeyDeleted, EVENT, ""),
    entry(Reason::ActedOnBehalf, &[Surface::Event, Surface::Line], ""),
    entry(
        Reason::ActingRefused,
        &[Surface::Event, Surface::Line],
        "If it should be allowed, give the service account a grant on the resource with `impersonation: Enabled`. \
         Otherwise ask who has the key, and why it is tried.",
    ),
    ADMINS_REFUSED,
    entry(
        Reason::AccountRefused,
        REFUSED,
        "Change the policy that the message names, or create the Account `default` by hand.",
    ),
    PERMISSION_DENIED,
];

const ACCOUNT: &[ReasonEntry] = &[
    entry(Reason::Accepted, READY, ""),
    entry(
        Reason::InvalidLimits,
        BOTH,
        "Make `minValidFor` no longer than `maxValidFor`, and `warnAfter` shorter than `deactivateAfter`.",
    ),
    entry(Reason::PolicyChanged, EVENT, ""),
    entry(Reason::AdminsChanged, EVENT, ""),
    entry(Reason::ServiceAccountCreated, EVENT, ""),
    entry(Reason::ServiceAccountDeleted, EVENT, ""),
    ADMINS_REFUSED,
    entry(
        Reason::QuotaRefused,
        REFUSED,
        "Change the policy that the message names. Until then the limit on service accounts holds, but is not told at admission.",
    ),
    PERMISSION_DENIED,
];

const RESOURCE_GRANT: &[ReasonEntry] = &[
    entry(Reason::Granted, READY, ""),
    entry(
        Reason::ServiceAccountNotFound,
        READY,
        "Make the service account, or delete the grant and make another, since `spec.serviceAccountName` cannot be changed.",
    ),
];

/// Reasons that are told of requests, not of objects.
pub const OF_REQUESTS: &[ReasonEntry] =
    &[entry(Reason::Verified, &[Surface::Line], ""), entry(Reason::Refused, &[Surface::Line], "")];

/// Those of a kind's reasons that its condition `Ready` may have.
pub fn of_ready(reasons: &[ReasonEntry]) -> impl Iterator<Item = Reason> {
    reasons.iter().filter(|told| told.places.contains(&Surface::Ready)).map(|told| told.reason)
}

/// Reasons of audit entries that the controller writes.
pub fn by_controller() -> impl Iterator<Item = Reason> {
    let written = |reason: &&Reason| {
        let told = KINDS.iter().flat_map(|(_, told)| *told).filter(|told| told.reason == **reason);
        told.clone().any(|told| told.places.contains(&Surface::Event))
            && !told.clone().any(|told| told.places.contains(&Surface::Line))
    };
    Reason::ALL.iter().filter(written).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<&'static ReasonEntry> {
        KINDS.iter().flat_map(|(_, told)| *told).chain(OF_REQUESTS).collect()
    }

    #[test]
    fn every_reason_is_told_about_something() {
        for reason in Reason::ALL {
            assert!(all().iter().any(|told| told.reason == *reason), "{reason} is told about nothing");
        }
    }

    #[test]
    fn a_kind_has_each_reason_once() {
        for (kind, told) in KINDS {
            let mut words: Vec<&str> = told.iter().map(|told| told.reason.as_str()).collect();
            words.sort_unstable();
            assert!(words.is_sorted_by(|a, b| a < b), "{kind}: {words:?}");
        }
    }

    #[test]
    fn whoever_is_warned_is_told_what_to_do() {
        use crate::api::reason::Severity;
        for told in all().iter().filter(|told| told.places.contains(&Surface::Event)) {
            let warns = told.reason.severity() == Severity::Warning;
            assert!(!warns || told.remedy.ends_with('.'), "{}", told.reason);
        }
    }
}
