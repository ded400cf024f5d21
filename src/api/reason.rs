//! The closed list of reasons: what conditions, Events and audit entries say, one word each. Where each is
//! met, and what to do then, stands in `domain::audit::catalog`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How an Event with a reason is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// As it should be.
    Normal,
    /// Someone should look.
    Warning,
}

impl Severity {
    /// The `type` of an Event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

macro_rules! reasons {
    ($($name:ident, $action:literal, $severity:ident, $meaning:literal;)*) => {
        /// Why something is as it is, or was done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = $meaning] $name,)*
        }

        impl Reason {
            /// Every reason, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The reason's word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What was done, as one verb.
            pub fn action(self) -> &'static str {
                match self { $(Self::$name => $action,)* }
            }

            /// How an Event with it is shown.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What it means, as a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

reasons! {
    Issued, "Issue", Normal, "The key's token is in its Secret and authenticates.";
    Rotated, "Rotate", Normal, "A new token was issued because `spec.revision` was raised or its renewal was due.";
    Reissued, "Reissue", Warning, "A new token was issued because the Secret was deleted or no longer held the one issued.";
    RevisionBehind, "Warn", Warning, "`spec.revision` is lower than the revision that was issued last, so it asks for no new token.";
    RevisionTooFar, "Warn", Warning, "`spec.revision` is more than 1000 above the revision that was issued last, so no token was issued for it.";
    PreviousTokenRetired, "Retire", Normal, "The overlap of a rotation is over: the previous token no longer authenticates.";
    NotSealed, "Refuse", Warning, "The key's status named a token that the controller's seal does not vouch for; that token is refused.";
    SecretRepaired, "Repair", Normal, "The Secret differed from what is asked for and was written again with the same token.";
    Activated, "Activate", Normal, "The object was switched on and authenticates again.";
    Inactive, "Deactivate", Normal, "The object was switched off as its `spec.state` asks.";
    ServiceAccountInactive, "Deactivate", Normal, "The key's service account is switched off, so the key does not authenticate.";
    UnusedWarning, "Warn", Warning, "Nobody has used the key for as long as the account's policy warns after.";
    Unused, "Deactivate", Warning, "Nobody has used the key for as long as the account's policy allows, so it is switched off until its spec is changed.";
    Expired, "Expire", Warning, "The key's time has passed; its token was taken out of the Secret.";
    ServiceAccountNotFound, "Wait", Warning, "The service account that it names does not exist yet.";
    ServiceAccountDeleted, "Delete", Normal, "The service account is gone, and with it the keys that were issued for it.";
    ServiceAccountRejected, "Reject", Warning, "The service account that the key names is not admitted.";
    KeyLimitExceeded, "Reject", Warning, "The service account already has as many access keys as it may have.";
    ServiceAccountLimitExceeded, "Reject", Warning, "The account already has as many service accounts as it may have.";
    DuplicateDisplayName, "Reject", Warning, "Another service account of the account holds that display name.";
    ExpiryOutOfRange, "Reject", Warning, "The validity asked for is outside the account's limits.";
    InvalidRotation, "Reject", Warning, "The rotation asked for cannot work with the key's validity.";
    InvalidLimits, "Reject", Warning, "The account's limits, or its times for unused keys, contradict each other.";
    SecretConflict, "Reject", Warning, "A Secret of that name exists and does not belong to the key; it is left untouched.";
    SecretRefused, "Refuse", Warning, "The API server refused a write of the key's Secret: a quota, a policy, or an immutable Secret.";
    PublishRefused, "Refuse", Warning, "The API server refused a write of a Secret of `spec.publish`.";
    DeletionRefused, "Refuse", Warning, "The API server refused to delete the key of a service account that is gone.";
    AdminsRefused, "Refuse", Warning, "The API server refused a write of the RBAC objects of admins.";
    QuotaRefused, "Refuse", Warning, "The API server refused a write of the account's quota of service accounts.";
    AccountRefused, "Refuse", Warning, "The API server refused to create the namespace's Account.";
    PermissionDenied, "Refuse", Warning, "RBAC does not let the controller write what it has to.";
    Admitted, "Admit", Normal, "The service account is admitted and its active keys authenticate.";
    Accepted, "Accept", Normal, "The account's limits are in force.";
    PolicyChanged, "Change", Normal, "The limits of the account, its times for unused keys, or the namespaces it accepts Secrets from were changed.";
    AdminsChanged, "Delegate", Normal, "The admins of the object were changed, and RBAC with them.";
    Granted, "Grant", Normal, "The service account has the resource grant.";
    ResourceGranted, "Grant", Normal, "A resource was granted to the service account.";
    ResourceRevoked, "Revoke", Normal, "A resource grant of the service account was deleted or changed away.";
    Expiring, "Warn", Warning, "The key's token expires within 30 days, and nothing renews it.";
    Publishing, "Publish", Normal, "The key's token is on its way into the Secrets of `spec.publish`.";
    Published, "Publish", Normal, "A Secret of `spec.publish` was written.";
    Unpublished, "Unpublish", Normal, "A Secret of `spec.publish` was deleted.";
    PublishConflict, "Reject", Warning, "A Secret that `spec.publish` names exists and does not belong to the key; it is left untouched.";
    PublishNotAccepted, "Reject", Warning, "The account of a Secret's namespace does not accept it: not from the key's namespace, or not with its name, type, labels or annotations.";
    ServiceAccountCreated, "Create", Normal, "A service account was admitted to the account.";
    ActedOnBehalf, "Act", Normal, "A key acted for another person on a resource where that is granted.";
    ActingRefused, "Refuse", Warning, "A key was refused to act for another person.";
    Verified, "Verify", Normal, "A key was presented to a verifier and is good. In the audit lines of verifiers only.";
    Refused, "Refuse", Warning, "A credential was presented to a verifier and is not good. In the audit lines of verifiers only.";
    KeyCreated, "Create", Normal, "An access key was created and has a seat.";
    KeyDeleted, "Delete", Normal, "An access key was deleted and its seat is free.";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A text and no closed list, so that a controller may be newer than the CRDs.
impl JsonSchema for Reason {
    fn schema_name() -> Cow<'static, str> {
        "Reason".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 64 })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// Reads a reason out of a status; one that another version of Keyward recorded, and this one does not know,
/// is none.
pub(super) fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Reason>, D::Error> {
    let recorded = Option::<Cow<'de, str>>::deserialize(deserializer)?;
    Ok(recorded.and_then(|word| Reason::ALL.iter().find(|reason| reason.as_str() == word).copied()))
}
