//! What stands under a token's id, made for reading: shared between the tokens of a key and the keys of a service account.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use http::HeaderValue;

use crate::api::access_key::KeyState;
use crate::domain::verdict::{Credential, Grant, ServiceAccountFacts};

/// One token.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The token.
    pub credential: Credential,
    /// Its key.
    pub key: Arc<Key>,
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
        // Names of objects are made of letters that any header may hold.
        let header = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        Self {
            account: Arc::clone(account),
            name: name.into(),
            actor: header(&format!("keyward:{account}:{name}")),
            account_header: header(account),
            name_header: header(name),
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

    /// When it was last used, in seconds since 1970, and how often since it was taken before.
    pub fn take(&self) -> (i64, u32) {
        self.queued.store(false, Ordering::Release);
        (self.last.load(Ordering::Acquire), self.count.swap(0, Ordering::AcqRel))
    }
}
