//! What stands under a token's id, made for reading: shared between the tokens of a key and the keys of a service account.
//! All that a verdict reads of a token lies together, since of many tokens few are in the processor's cache.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::HeaderValue;

use crate::api::access_key::KeyState;
use crate::domain::verdict::{Credential, Grant, ServiceAccountFacts, Standing};

/// One token.
#[derive(Debug)]
pub struct Entry {
    /// Its key.
    pub key: Arc<Key>,
    /// The service account that its key was issued for.
    pub issued_for: Arc<Incarnation>,
    /// The token.
    pub credential: Credential,
    /// What its key is.
    pub state: KeyState,
}

impl Entry {
    /// The service account that its key names.
    pub fn holder(&self) -> &Holder {
        &self.issued_for.holder
    }
}

/// One access key, for as long as it exists.
#[derive(Debug)]
pub struct Key {
    /// Its use.
    pub usage: Usage,
    /// The service account that it names.
    pub holder: Arc<Holder>,
    /// Its name.
    pub name: Arc<str>,
    /// Its UID.
    pub uid: Box<str>,
}

/// One of the service accounts that have had a name one after another, whether it still exists or not.
#[derive(Debug)]
pub struct Incarnation {
    /// What all of that name have in common.
    pub holder: Arc<Holder>,
    /// Its UID; empty for keys that were not issued for any.
    pub uid: Box<str>,
    standing: AtomicU8,
}

impl Incarnation {
    pub(super) fn new(holder: &Arc<Holder>, uid: &str, facts: Option<&ServiceAccountFacts>) -> Self {
        let standing = AtomicU8::new(Standing::to_keys_of(uid, facts) as u8);
        Self { holder: Arc::clone(holder), uid: uid.into(), standing }
    }

    /// The service account that has the name now is as `facts` say.
    pub(super) fn changed(&self, facts: Option<&ServiceAccountFacts>) {
        self.standing.store(Standing::to_keys_of(&self.uid, facts) as u8, Ordering::Release);
    }

    /// What it is to its keys.
    pub fn standing(&self) -> Standing {
        let all = [Standing::Active, Standing::Inactive, Standing::Rejected, Standing::Replaced];
        let now = self.standing.load(Ordering::Acquire);
        all.into_iter().find(|standing| *standing as u8 == now).unwrap_or(Standing::Gone)
    }
}

/// A service account as the keys that name it see it; it need not exist.
#[derive(Debug)]
pub struct Holder {
    /// Its account: the namespace.
    pub account: Arc<str>,
    /// Its name.
    pub name: Box<str>,
    /// `keyward:<account>:<name>`, for an answer's headers.
    pub actor: HeaderValue,
    /// The account, for an answer's headers.
    pub account_header: HeaderValue,
    /// The name, for an answer's headers.
    pub name_header: HeaderValue,
    /// What it may reach.
    pub grants: ArcSwap<Vec<Grant>>,
}

impl Holder {
    pub(super) fn new(account: &Arc<str>, name: &str) -> Self {
        // Names of objects are made of letters that any header may hold. One text serves all, so that copies count together.
        let actor = Bytes::from(format!("keyward:{account}:{name}"));
        let header =
            |part: Bytes| HeaderValue::from_maybe_shared(part).unwrap_or(HeaderValue::from_static(""));
        let name_at = actor.len().saturating_sub(name.len());
        let account_at = name_at.saturating_sub(account.len() + 1);
        Self {
            account: Arc::clone(account),
            name: name.into(),
            account_header: header(actor.slice(account_at..account_at + account.len())),
            name_header: header(actor.slice(name_at..)),
            actor: header(actor),
            grants: ArcSwap::default(),
        }
    }

    /// The user that it is to Kubernetes, and the actor in audit lines.
    pub fn actor(&self) -> &str {
        self.actor.to_str().unwrap_or_default()
    }
}

/// The use of one key that is not recorded yet.
#[derive(Debug, Default)]
pub struct Usage {
    last: AtomicI64,
    count: AtomicU32,
    queued: AtomicBool,
}

impl Usage {
    /// It was used at `second`. Says whether this is the first use since [`Self::take`].
    pub fn used(&self, second: i64) -> bool {
        // Most of the time it is the same second, or set already: reading is cheaper than writing.
        if self.last.load(Ordering::Relaxed) < second {
            self.last.fetch_max(second, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        !self.queued.load(Ordering::Relaxed) && !self.queued.swap(true, Ordering::AcqRel)
    }

    /// When it was last used, in seconds since 1970; 0 for never.
    pub fn last(&self) -> i64 {
        self.last.load(Ordering::Relaxed)
    }

    /// When it was last used, in seconds since 1970, and how often since it was taken before.
    pub fn take(&self) -> (i64, u32) {
        self.queued.store(false, Ordering::Release);
        (self.last.load(Ordering::Acquire), self.count.swap(0, Ordering::AcqRel))
    }
}
