//! Whether a presented token is good, and for what: `verdict(feed, presented, known, asked, now)`.

mod cause;
mod facts;
mod request;

use subtle::{Choice, ConstantTimeEq as _};

use crate::api::access_key::KeyState;
use crate::domain::value::digest::Sha256Hash;

pub use cause::{Cause, Class};
pub use facts::{Credential, CredentialKind, Grant, GrantFacts, KeyFacts, ServiceAccountFacts, Standing};
pub use request::{Asked, BadRequest, OnBehalfOf, ResourceAsked};

/// How well the verifier knows the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// It has not seen every object yet.
    NotSynced,
    /// It has heard nothing of the cluster for longer than the bound.
    Stale,
    /// It is up to date.
    Fresh,
}

/// What is known under the presented token's id.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The token.
    pub credential: Credential,
    /// What its key is.
    pub state: KeyState,
    /// What its service account is to it.
    pub service_account: Standing,
    /// The service account's grants.
    pub grants: &'a [Grant],
}

/// Compared with where nothing is known, so that an unknown id takes as long as a wrong secret.
const NOBODY: Sha256Hash = [0; 32];

/// Decides. `now` is in seconds since 1970. Gives the grant that answers a request for a resource.
///
/// # Errors
/// The cause of a refusal. Those that [`Cause::proves_identity`] says so of were given to the holder of the token.
pub fn verdict<'a>(
    feed: Feed,
    presented: &Sha256Hash,
    known: Option<&Known<'a>>,
    asked: &Asked,
    now: i64,
) -> Result<Option<&'a Grant>, Cause> {
    match feed {
        Feed::NotSynced => return Err(Cause::NotSynced),
        Feed::Stale => return Err(Cause::Stale),
        Feed::Fresh => {}
    }
    let hash = known.map_or(&NOBODY, |known| &known.credential.hash);
    let same = same(presented, hash);
    let known = known.ok_or(Cause::UnknownKey)?;
    if !same {
        return Err(Cause::WrongSecret);
    }
    in_force(known, now)?;
    asked.answer(known.grants)
}

/// In constant time, words at once.
fn same(one: &Sha256Hash, other: &Sha256Hash) -> bool {
    let pairs = one.as_chunks().0.iter().zip(other.as_chunks().0);
    let words = pairs.map(|(one, other)| u64::from_ne_bytes(*one).ct_eq(&u64::from_ne_bytes(*other)));
    words.fold(Choice::from(1), |same, word| same & word).into()
}

fn in_force(known: &Known<'_>, now: i64) -> Result<(), Cause> {
    if known.credential.good_until <= now {
        return Err(match known.credential.kind {
            CredentialKind::Previous => Cause::PreviousTokenRetired,
            CredentialKind::Current | CredentialKind::Next => Cause::Expired,
        });
    }
    match known.service_account {
        Standing::Active => {}
        Standing::Gone => return Err(Cause::ServiceAccountGone),
        Standing::Replaced => return Err(Cause::ServiceAccountReplaced),
        Standing::Inactive => return Err(Cause::ServiceAccountInactive),
        Standing::Rejected => return Err(Cause::ServiceAccountRejected),
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
