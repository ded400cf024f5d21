//! What stands under a token's id, made for reading: shared between the tokens of a key and the keys of a service account.
//! All that a verdict reads of a token lies together, since of many tokens few are in the processor's cache.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use http::HeaderValue;

use crate::api::access_key::KeyState;
use crate::domain::verdict::{Credential, Grant, ServiceAccountFacts};

/// One token.
#[derive(Debug)]
pub struct Entry {
    /// The token.
    pub credential: Credential,
    /// What its key is.
    pub state: KeyState,
    /// UID of the service account that its key was issued for.
    pub issued_for: Arc<str>,
    /// The service account that its key names.
    pub holder: Arc<Holder>,
    /// The use of its key.
    pub usage: Arc<Usage>,
    /// Its key, with what is not read for a verdict.
    pub key: Arc<Key>,
}

impl Entry {
    pub(super) fn new(credential: Credential, key: &Arc<Key>) -> Self {
        Self {
            credential,
            state: key.state,
            issued_for: Arc::clone(&key.issued_for),
            holder: Arc::clone(&key.holder),
            usage: Arc::clone(&key.usage),
            key: Arc::clone(key),
        }
    }
}

/// One access key.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: Arc<str>,
    /// Its UID.
    pub uid: Box<str>,
    /// The version it was seen at.
    pub resource_version: Box<str>,
    /// UID of the service account that it was issued for.
    pub issued_for: Arc<str>,
    /// What it is.
    pub state: KeyState,
    /// When it was last used, as recorded, in seconds since 1970; 0 where nothing is.
    pub recorded: i64,
    /// The service account that it names.
    pub holder: Arc<Holder>,
    /// Its use since then.
    pub usage: Arc<Usage>,
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
    /// What is known of it, where it exists.
    pub facts: ArcSwapOption<ServiceAccountFacts>,
    /// The version it was seen at.
    pub resource_version: ArcSwap<String>,
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
            facts: ArcSwapOption::empty(),
            resource_version: ArcSwap::default(),
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
