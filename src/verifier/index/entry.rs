//! What stands under a token's id, made for reading: shared between the tokens of a key and the keys of a service account.
//! All that a verdict reads of a token lies together, since of many tokens few are in the processor's cache.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::HeaderValue;

use crate::api::access_key::KeyState;
use crate::domain::digest::Sha256Hash;
use crate::domain::verdict::{Credential, CredentialKind, Grant, ServiceAccountFacts, Standing};

/// One token, for as long as it is known.
#[derive(Debug)]
pub struct Entry {
    /// Its key.
    pub key: Arc<Key>,
    /// The service account that its key was issued for.
    pub issued_for: Arc<Incarnation>,
    /// Its use.
    pub usage: Usage,
    changing: Changing,
    hash: Sha256Hash,
}

impl Entry {
    pub(super) fn new(
        key: &Arc<Key>,
        issued_for: &Arc<Incarnation>,
        credential: &Credential,
        state: KeyState,
    ) -> Self {
        Self {
            key: Arc::clone(key),
            issued_for: Arc::clone(issued_for),
            usage: Usage::default(),
            changing: Changing::of(credential, state),
            hash: credential.hash,
        }
    }

    /// Takes over what changed. Says whether it could, which it cannot where it is not the same token of the same key.
    pub(super) fn becomes(&self, other: &Self) -> bool {
        let same = Arc::ptr_eq(&self.key, &other.key)
            && Arc::ptr_eq(&self.issued_for, &other.issued_for)
            && self.hash == other.hash;
        if same {
            self.changing.0.store(other.changing.0.load(Ordering::Relaxed), Ordering::Release);
        }
        same
    }

    /// Leaves its use with its key, as it goes.
    pub(super) fn leave(&self) {
        let (last, count) = self.usage.take();
        self.key.usage.add(last, count);
    }

    /// The service account that its key names.
    pub fn holder(&self) -> &Holder {
        &self.issued_for.holder
    }

    /// Reads something of all that an answer reads. Memory is slow: what is asked for at once is waited for once.
    pub fn touch(&self) {
        let Incarnation { standing, names, .. } = &*self.issued_for;
        let text = (names.text.is_unique(), names.text.first());
        std::hint::black_box((standing.load(Ordering::Relaxed), text));
    }

    /// The token, and what its key is.
    pub fn now(&self) -> (Credential, KeyState) {
        let (kind, good_until, state) = self.changing.read();
        (Credential { hash: self.hash, kind, good_until }, state)
    }
}

/// What can change of a token, in one number: a reader sees all of it before a change or after it.
#[derive(Debug)]
struct Changing(AtomicU64);

const STATES: [KeyState; 5] =
    [KeyState::Pending, KeyState::Active, KeyState::Inactive, KeyState::Expired, KeyState::Rejected];
const KINDS: [CredentialKind; 3] = [CredentialKind::Current, CredentialKind::Next, CredentialKind::Previous];
/// Seconds since 1970 take the rest, which reaches further than any time that a manifest can hold.
const STATE_BITS: u32 = 3;
const KIND_BITS: u32 = 2;

impl Changing {
    fn of(credential: &Credential, state: KeyState) -> Self {
        let place =
            |place: Option<usize>| place.and_then(|place| u64::try_from(place).ok()).unwrap_or_default();
        let state = place(STATES.iter().position(|known| *known == state));
        let kind = place(KINDS.iter().position(|known| *known == credential.kind));
        // What was good until before 1970 was good until then as well.
        let good_until = u64::try_from(credential.good_until).unwrap_or_default();
        Self(AtomicU64::new((good_until << KIND_BITS | kind) << STATE_BITS | state))
    }

    fn read(&self) -> (CredentialKind, i64, KeyState) {
        let all = self.0.load(Ordering::Acquire);
        let low = |number: u64, bits: u32| usize::try_from(number & ((1 << bits) - 1)).unwrap_or_default();
        let rest = all >> STATE_BITS;
        let state = STATES.get(low(all, STATE_BITS)).copied().unwrap_or(KeyState::Pending);
        let kind = KINDS.get(low(rest, KIND_BITS)).copied().unwrap_or(CredentialKind::Current);
        (kind, i64::try_from(rest >> KIND_BITS).unwrap_or_default(), state)
    }
}

/// One access key, for as long as it exists.
#[derive(Debug)]
pub struct Key {
    /// The service account that it names.
    pub holder: Arc<Holder>,
    /// Its name.
    pub name: Arc<str>,
    /// Its UID.
    pub uid: Box<str>,
    /// The use of those of its tokens that are gone.
    pub(super) usage: Usage,
}

/// One of the service accounts that have had a name one after another, whether it still exists or not.
// In this order, so that what each answer reads lies together.
#[derive(Debug)]
#[repr(C)]
pub struct Incarnation {
    standing: AtomicU8,
    /// Who it is, for an answer's headers.
    pub names: Names,
    /// What all of that name have in common.
    pub holder: Arc<Holder>,
    /// Its UID; empty for keys that were not issued for any.
    pub uid: Box<str>,
}

impl Incarnation {
    pub(super) fn new(holder: &Arc<Holder>, uid: &str, facts: Option<&ServiceAccountFacts>) -> Self {
        let standing = AtomicU8::new(Standing::to_keys_of(uid, facts) as u8);
        Self { standing, names: holder.names.clone(), holder: Arc::clone(holder), uid: uid.into() }
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
    names: Names,
    /// What it may reach.
    pub grants: ArcSwap<Vec<Grant>>,
}

/// What an answer's headers call a service account.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Names {
    /// The text that the others are parts of, so that copies count together.
    text: Bytes,
    /// `keyward:<account>:<name>`.
    pub actor: HeaderValue,
    /// The account.
    pub account: HeaderValue,
    /// The name.
    pub name: HeaderValue,
}

impl Names {
    fn of(account: &str, name: &str) -> Self {
        let text = Bytes::from(format!("keyward:{account}:{name}"));
        // Names of objects are made of letters that any header may hold.
        let header =
            |part: Bytes| HeaderValue::from_maybe_shared(part).unwrap_or(HeaderValue::from_static(""));
        let name_at = text.len().saturating_sub(name.len());
        let account_at = name_at.saturating_sub(account.len() + 1);
        Self {
            actor: header(text.clone()),
            account: header(text.slice(account_at..account_at + account.len())),
            name: header(text.slice(name_at..)),
            text,
        }
    }
}

impl Holder {
    pub(super) fn new(account: &Arc<str>, name: &str) -> Self {
        Self {
            account: Arc::clone(account),
            name: name.into(),
            names: Names::of(account, name),
            grants: ArcSwap::default(),
        }
    }

    /// The user that it is to Kubernetes, and the actor in audit lines.
    pub fn actor(&self) -> &str {
        self.names.actor.to_str().unwrap_or_default()
    }
}

/// Use that is not recorded yet.
#[derive(Debug, Default)]
pub struct Usage {
    count: AtomicU32,
    /// In seconds since 1970, which has room until 2106.
    last: AtomicU32,
}

impl Usage {
    /// It was used at `second`. Says whether this is the first use since it was taken.
    pub fn used(&self, second: i64) -> bool {
        self.add(second, 1)
    }

    pub(super) fn add(&self, last: i64, count: u32) -> bool {
        let last = u32::try_from(last).unwrap_or(if last < 0 { 0 } else { u32::MAX });
        // Most of the time it is the same second: reading is cheaper than writing.
        if self.last.load(Ordering::Relaxed) < last {
            self.last.fetch_max(last, Ordering::Relaxed);
        }
        self.count.fetch_add(count, Ordering::Release) == 0
    }

    /// When it was last used, in seconds since 1970; 0 for never.
    pub fn last(&self) -> i64 {
        i64::from(self.last.load(Ordering::Relaxed))
    }

    /// When it was last used, and how often since it was taken before.
    pub(super) fn take(&self) -> (i64, u32) {
        let count = self.count.swap(0, Ordering::Acquire);
        (self.last(), count)
    }
}
