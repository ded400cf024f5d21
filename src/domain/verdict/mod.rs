//! Whether a presented token is good, and for what: `verdict(feed, presented, known, requirements, now)`.
//! Pure functions of what is known of the cluster; no client, no clock and no endpoint comes in.

mod cause;
mod facts;
mod request;

use subtle::{Choice, ConstantTimeEq as _};

use crate::api::access_key::KeyState;
use crate::domain::value::digest::Sha256Hash;

pub use cause::{Cause, Class};
pub use facts::{Grant, GrantFacts, HolderState, KeyFacts, ServiceAccountFacts, StoredToken, TokenKind};
pub use request::{BadRequest, OnBehalfOf, RequiredResource, Requirements, ResourceText};

/// How well the verifier knows the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedState {
    /// It has not seen every object yet.
    NotSynced,
    /// It has heard nothing of the cluster for longer than the bound.
    Stale,
    /// It is up to date.
    Fresh,
}

/// What is known under the presented token's id.
#[derive(Clone, Copy, Debug)]
pub struct KnownToken<'a> {
    /// The token.
    pub token: StoredToken,
    /// The controller vouches for it.
    pub sealed: bool,
    /// What its key is.
    pub state: KeyState,
    /// What its service account is to it.
    pub service_account: HolderState,
    /// The service account's grants.
    pub grants: &'a [Grant],
}

/// Compared with where nothing is known, so that an unknown id takes as long as a wrong secret.
const NOBODY: Sha256Hash = [0; 32];

/// Decides. `now` is in seconds since 1970. Gives the grant that answers a request for a resource.
///
/// # Errors
/// The cause of a refusal. Those that [`Cause::proves_identity`] says so of were given to the holder of the
/// token.
pub fn verdict<'a>(
    feed: FeedState,
    presented: &Sha256Hash,
    known: Option<&KnownToken<'a>>,
    requirements: &Requirements,
    now: i64,
) -> Result<Option<&'a Grant>, Cause> {
    match feed {
        FeedState::NotSynced => return Err(Cause::NotSynced),
        FeedState::Stale => return Err(Cause::Stale),
        FeedState::Fresh => {}
    }
    let hash = known.map_or(&NOBODY, |known| &known.token.hash);
    let same = same(presented, hash);
    let known = known.ok_or(Cause::UnknownKey)?;
    if !same {
        return Err(Cause::WrongSecret);
    }
    if !known.sealed {
        return Err(Cause::NotSealed);
    }
    in_force(known, now)?;
    requirements.met_by(known.grants)
}

/// In constant time, words at once.
fn same(one: &Sha256Hash, other: &Sha256Hash) -> bool {
    let pairs = one.as_chunks().0.iter().zip(other.as_chunks().0);
    let words = pairs.map(|(one, other)| u64::from_ne_bytes(*one).ct_eq(&u64::from_ne_bytes(*other)));
    words.fold(Choice::from(1), |same, word| same & word).into()
}

fn in_force(known: &KnownToken<'_>, now: i64) -> Result<(), Cause> {
    if known.token.good_until <= now {
        return Err(match known.token.kind {
            TokenKind::Previous => Cause::PreviousTokenRetired,
            TokenKind::Current | TokenKind::Next => Cause::Expired,
        });
    }
    match known.service_account {
        HolderState::Active => {}
        HolderState::Gone => return Err(Cause::ServiceAccountGone),
        HolderState::Replaced => return Err(Cause::ServiceAccountReplaced),
        HolderState::Inactive => return Err(Cause::ServiceAccountInactive),
        HolderState::Rejected => return Err(Cause::ServiceAccountRejected),
    }
    match known.state {
        KeyState::Active => Ok(()),
        KeyState::Inactive => Err(Cause::KeyInactive),
        KeyState::Expired => Err(Cause::Expired),
        KeyState::Rejected => Err(Cause::KeyRejected),
        KeyState::Pending => Err(Cause::KeyPending),
    }
}

#[cfg(test)]
mod tests;
