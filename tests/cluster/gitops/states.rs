//! Every state that an object can be in, and what deployment tools must make of it.

use std::path::PathBuf;

use super::customizations::folder;

/// What a tool that waits must make of a state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Health {
    /// Done.
    Healthy,
    /// Not yet.
    Progressing,
    /// Never, unless a user helps.
    Degraded,
}
use Health::{Degraded, Healthy, Progressing};

impl Health {
    /// For Argo CD.
    pub fn argo(self) -> &'static str {
        match self {
            Healthy => "Healthy",
            Progressing => "Progressing",
            Degraded => "Degraded",
        }
    }

    /// For kstatus, and for Flux.
    pub fn kstatus(self) -> &'static str {
        match self {
            Healthy => "Current",
            Progressing => "InProgress",
            Degraded => "Failed",
        }
    }
}

/// A state of a kind, what it is for tools, and the message that Argo CD shows, with `<key>` for a key's id
/// and `<time>` for a time.
pub struct State {
    pub kind: &'static str,
    pub health: Health,
    pub name: &'static str,
    pub message: &'static str,
}

const fn state(kind: &'static str, health: Health, name: &'static str, message: &'static str) -> State {
    State { kind, health, name, message }
}

const SPEC_CHANGED: &str = "Waiting for the change of the spec to be observed";

pub const STATES: &[State] = &[
    state("AccessKey", Progressing, "notObserved", "Waiting for AccessKey"),
    state("AccessKey", Progressing, "specChanged", SPEC_CHANGED),
    state(
        "AccessKey",
        Progressing,
        "serviceAccountNotFound",
        "ServiceAccount.iam.keyward.dev \"late\" not found in namespace \"team-a\"",
    ),
    state(
        "AccessKey",
        Progressing,
        "publishing",
        "Key <key> is good and on its way into the Secrets of spec.publish",
    ),
    state("AccessKey", Healthy, "issued", "Key <key> issued; expires <time>"),
    // The new token is there. Waiting for the end of the old one would hold up a sync for days.
    state("AccessKey", Healthy, "rotatedWithOverlap", "Key <key> issued; expires <time>"),
    state(
        "AccessKey",
        Healthy,
        "expiring",
        "Key <key> expires at <time>; raise spec.revision or set spec.rotation for a new token",
    ),
    state("AccessKey", Healthy, "unusedWarning", "Key was not used since <time>"),
    state(
        "AccessKey",
        Healthy,
        "unused",
        "Key was not used since <time>, so it is switched off as the account's spec.unusedAccessKeys asks; raise \
         spec.revision, or set spec.state to Inactive and back, to use it again",
    ),
    state("AccessKey", Healthy, "inactive", "Key is inactive as requested by spec.state"),
    state("AccessKey", Healthy, "inactiveFromTheStart", "Key is inactive as requested by spec.state"),
    state(
        "AccessKey",
        Healthy,
        "serviceAccountInactive",
        "ServiceAccount.iam.keyward.dev \"paused\" is inactive as requested by its spec.state",
    ),
    state(
        "AccessKey",
        Healthy,
        "notIssuedServiceAccountInactive",
        "ServiceAccount.iam.keyward.dev \"late\" is inactive as requested by its spec.state",
    ),
    state(
        "AccessKey",
        Degraded,
        "secretRefused",
        "The API server refused to create Secret: secrets \"deploy\" is forbidden: ValidatingAdmissionPolicy 'secrets-create.team-a' with \
         binding 'secrets-create.team-a' denied request: no such writes here",
    ),
    state(
        "AccessKey",
        Degraded,
        "publishRefused",
        "The API server refused to delete Secret: secrets \"gateway\" is forbidden: ValidatingAdmissionPolicy 'secrets-delete.team-a' with \
         binding 'secrets-delete.team-a' denied request: no such writes here",
    ),
    state(
        "AccessKey",
        Degraded,
        "serviceAccountRejected",
        "ServiceAccount.iam.keyward.dev \"second\" is not admitted itself: the account already has 1 of 1 service accounts; \
         delete one to proceed",
    ),
    state(
        "AccessKey",
        Progressing,
        "serviceAccountDeleted",
        "ServiceAccount.iam.keyward.dev \"leaving\" that the key was issued for was deleted, so the key is deleted too",
    ),
    state(
        "AccessKey",
        Degraded,
        "keyLimitExceeded",
        "ServiceAccount.iam.keyward.dev \"ci\" already has 1 of 1 access keys; delete one to proceed, for example \"first\"",
    ),
    state(
        "AccessKey",
        Degraded,
        "secretConflict",
        "Secret \"theirs\" exists and is not owned by this AccessKey; delete it or choose another `secret.name`",
    ),
    state(
        "AccessKey",
        Degraded,
        "secretReplaced",
        "Secret \"registry\" exists and is not owned by this AccessKey; delete it or choose another `secret.name`",
    ),
    state(
        "AccessKey",
        Degraded,
        "expired",
        "Key expired at <time>; raise spec.revision for a new token, or delete the key",
    ),
    state(
        "AccessKey",
        Degraded,
        "expiryOutOfRange",
        "spec.validFor P3Y is outside the account's limits: a token must be valid for PT1S to P2Y from its issue",
    ),
    state(
        "AccessKey",
        Degraded,
        "renewalRefused",
        "spec.validFor P3Y is outside the account's limits: a token must be valid for PT1S to P2Y from its issue",
    ),
    state(
        "AccessKey",
        Degraded,
        "invalidRotation",
        "spec.rotation.renewBefore is P7M and spec.validFor P6M; the renewal must be later than the issue",
    ),
    state(
        "AccessKey",
        Degraded,
        "invalidLimits",
        "spec.limits.minValidFor is P2Y and spec.limits.maxValidFor is P1Y; the shortest validity must not be longer than \
         the longest, so no key can be issued",
    ),
    state(
        "AccessKey",
        Degraded,
        "publishConflict",
        "Secret \"theirs\" (spec.publish) exists in namespace \"team-a\" and is not owned by this AccessKey; delete it or \
         choose another name",
    ),
    state(
        "AccessKey",
        Degraded,
        "publishNotAccepted",
        "Secret \"copy\" (spec.publish) is not published: the Account of namespace \"default\" does not accept Secrets from \
         \"team-a\" (spec.acceptSecretsFrom)",
    ),
    state("ServiceAccount", Progressing, "notObserved", "Waiting for ServiceAccount"),
    state("ServiceAccount", Progressing, "specChanged", SPEC_CHANGED),
    state("ServiceAccount", Healthy, "admitted", "Service account is admitted; its active keys authenticate"),
    state("ServiceAccount", Healthy, "inactive", "Service account is inactive as requested by spec.state"),
    state(
        "ServiceAccount",
        Degraded,
        "accountRefused",
        "The API server refused to create Account: accounts.iam.keyward.dev \"account\" is forbidden: ValidatingAdmissionPolicy 'accounts-create.team-a' with \
         binding 'accounts-create.team-a' denied request: no such writes here",
    ),
    state(
        "ServiceAccount",
        Degraded,
        "adminsRefused",
        "The API server refused to create Role: roles.rbac.authorization.k8s.io \"keyward:first:admin\" is forbidden: ValidatingAdmissionPolicy 'roles-create.team-a' with \
         binding 'roles-create.team-a' denied request: no such writes here",
    ),
    state(
        "ServiceAccount",
        Degraded,
        "permissionDenied",
        "The API server refused to create Role: roles.rbac.authorization.k8s.io is forbidden: User \
         \"system:serviceaccount:team-a:keyward-controller\" cannot create resource \"roles\" in API group \
         \"rbac.authorization.k8s.io\" in the namespace \"team-a\"",
    ),
    state(
        "Account",
        Degraded,
        "quotaRefused",
        "The API server refused to create ResourceQuota: resourcequotas \"keyward\" is forbidden: ValidatingAdmissionPolicy 'resourcequotas-create.team-a' with \
         binding 'resourcequotas-create.team-a' denied request: no such writes here",
    ),
    state(
        "ServiceAccount",
        Degraded,
        "duplicateDisplayName",
        "Display name \"ci bot\" (spec.displayName) is held by ServiceAccount.iam.keyward.dev \"ci\"; choose one that no \
         other service account of the account has, without regard to upper and lower case",
    ),
    state(
        "ServiceAccount",
        Degraded,
        "renamedToDuplicate",
        "Display name \"CI bot\" (spec.displayName) is held by ServiceAccount.iam.keyward.dev \"ci\"; choose one that no \
         other service account of the account has, without regard to upper and lower case",
    ),
    state(
        "ServiceAccount",
        Degraded,
        "serviceAccountLimitExceeded",
        "The account already has 1 of 1 service accounts; delete one to proceed",
    ),
    state("ResourceGrant", Progressing, "notObserved", "Waiting for ResourceGrant"),
    state("ResourceGrant", Progressing, "specChanged", SPEC_CHANGED),
    state(
        "ResourceGrant",
        Progressing,
        "serviceAccountNotFound",
        "ServiceAccount.iam.keyward.dev \"nobody\" not found in namespace \"team-a\"",
    ),
    state("ResourceGrant", Healthy, "granted", "Granted to ServiceAccount.iam.keyward.dev \"ci\""),
    state("Account", Progressing, "notObserved", "Waiting for Account"),
    state("Account", Progressing, "specChanged", SPEC_CHANGED),
    state(
        "Account",
        Healthy,
        "accepted",
        "Limits in force: 25 service accounts, 10 access keys each, valid for P6M to P2Y",
    ),
    state(
        "Account",
        Degraded,
        "invalidLimits",
        "spec.limits.minValidFor is P2Y and spec.limits.maxValidFor is P1Y; the shortest validity must not be longer than \
         the longest, so no key can be issued",
    ),
];

impl State {
    /// The name of its file, as Argo CD's own are named.
    pub fn file_name(&self) -> String {
        let Self { health, name, kind: _, message: _ } = self;
        format!("{}_{name}.yaml", health.argo().to_lowercase())
    }

    pub fn path(&self) -> PathBuf {
        folder(self.kind).join("testdata").join(self.file_name())
    }
}
