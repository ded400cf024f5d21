//! The closed list of causes why a request is refused, and the class of answer that each has.

use crate::domain::value::token::Unreadable;

/// What the client learns: one answer for every token that is not good, so that nothing can be probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// No credential was sent: 401 without an error, as RFC 6750 section 3.1 says.
    NoCredential,
    /// The request contradicts itself: 401 `invalid_request`.
    InvalidRequest,
    /// The token is not good: 401 `invalid_token`.
    InvalidToken,
    /// The token is good and does not reach this far: 403 `insufficient_scope`.
    InsufficientScope,
    /// Too many failures from one address: 429.
    TooManyFailures,
    /// The verifier cannot know: 503.
    Unavailable,
}

macro_rules! causes {
    ($($name:ident, $class:ident, $meaning:literal;)*) => {
        /// Why a request was refused: for audit lines and metrics only.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Cause {
            $(#[doc = $meaning] $name,)*
        }

        impl Cause {
            /// Every cause, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The cause's name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What the client learns.
            pub fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)* }
            }

            /// What it means, as a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

causes! {
    NoCredential, NoCredential, "No credential was sent.";
    SeveralCredentials, InvalidRequest, "More than one credential was sent, so it is open which one is meant.";
    OtherScheme, InvalidToken, "`Authorization` has another scheme than `Bearer`.";
    Malformed, InvalidToken, "The credential does not have the form of a token.";
    Checksum, InvalidToken, "The token's checksum is wrong: a typo, or a guess.";
    UnknownKey, InvalidToken, "No key has a token of that id: deleted, or rotated away.";
    WrongSecret, InvalidToken, "A key has a token of that id, and this is not it.";
    NotSealed, InvalidToken, "The controller did not draw the token that status names: somebody else wrote it there.";
    Expired, InvalidToken, "The token's time has passed.";
    PreviousTokenRetired, InvalidToken, "The overlap of a rotation is over, and this is the token before it.";
    KeyInactive, InvalidToken, "The key is switched off, or its service account was.";
    KeyRejected, InvalidToken, "The key was refused, as over a limit.";
    KeyPending, InvalidToken, "The controller has not decided about the key.";
    ServiceAccountInactive, InvalidToken, "The service account is switched off.";
    ServiceAccountRejected, InvalidToken, "The service account is not admitted.";
    ServiceAccountGone, InvalidToken, "The service account was deleted.";
    ServiceAccountReplaced, InvalidToken, "The service account was deleted, and another has its name.";
    NotGranted, InsufficientScope, "The service account has no grant on the resource.";
    RoleTooLow, InsufficientScope, "The service account's grant on the resource gives a lower role.";
    ImpersonationDisabled, InsufficientScope, "The grant on the resource does not allow acting for others.";
    ResourceMissing, InsufficientScope, "The request acts for another person and names no resource.";
    BadResource, InsufficientScope, "The resource or role that the request names cannot exist.";
    BadOnBehalfOf, InsufficientScope, "What the request gives as the person it acts for cannot be a person.";
    TooManyFailures, TooManyFailures, "Too many requests of one address failed, and too many are being slowed down.";
    NotSynced, Unavailable, "The verifier has not seen every object yet.";
    Stale, Unavailable, "The verifier has heard nothing of the cluster for too long.";
}

impl Cause {
    /// Whether whoever sent the request holds the token of the id that they presented: only then may
    /// something be laid to the account of its service account.
    pub fn proves_identity(self) -> bool {
        !matches!(
            self,
            Self::NoCredential
                | Self::SeveralCredentials
                | Self::OtherScheme
                | Self::Malformed
                | Self::Checksum
                | Self::UnknownKey
                | Self::WrongSecret
                | Self::NotSealed
                | Self::TooManyFailures
                | Self::NotSynced
                | Self::Stale
        )
    }
}

impl From<Unreadable> for Cause {
    fn from(why: Unreadable) -> Self {
        match why {
            Unreadable::Form => Self::Malformed,
            Unreadable::Checksum => Self::Checksum,
        }
    }
}
