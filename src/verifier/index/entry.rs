//! What is known under a token's id, made for reading. All that an answer mostly reads lies together in the
//! token's entry, though other tokens have some of it in common: of many tokens few are in the processor's
//! cache.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use compact_str::CompactString;
use parking_lot::Mutex;

use crate::api::access_key::KeyState;
use crate::domain::access_key::record::{Claim, Trust};
use crate::domain::value::digest::Sha256Hash;
use crate::domain::value::seal::Proof;
use crate::domain::verdict::{Grant, HolderState, KnownToken, StoredToken, TokenKind};

/// One token, for as long as it is known.
#[derive(Debug)]
pub struct Entry {
    /// Its key.
    pub key: Arc<Key>,
    /// Its use.
    pub usage: Usage,
    state: AtomicU64,
    hash: Sha256Hash,
    /// Its key's seal was checked and is good.
    sealed: AtomicBool,
    /// The account, here once more.
    pub account: CompactString,
    /// The name of the service account, here once more.
    pub service_account: CompactString,
}

impl Entry {
    pub(super) fn new(key: &Arc<Key>, hash: Sha256Hash, state: &TokenState) -> Self {
        Self {
            key: Arc::clone(key),
            usage: Usage::default(),
            state: state.pack().into(),
            hash,
            sealed: false.into(),
            account: (&*key.holder.account).into(),
            service_account: (&*key.holder.name).into(),
        }
    }

    /// Whether the controller vouches for it. The seal is checked when the token is first presented.
    pub fn is_sealed(&self, trust: &ArcSwap<Trust>) -> bool {
        self.sealed.load(Ordering::Acquire) || self.prove(&trust.load())
    }

    #[cold]
    fn prove(&self, trust: &Trust) -> bool {
        let mut seal = self.key.seal.lock();
        let proved = seal.prove(trust);
        self.set_sealed(&seal);
        proved
    }

    /// Takes over what is known of the seal of its key, which the caller has locked, so that no other one
    /// takes its place unseen.
    pub(super) fn set_sealed(&self, seal: &Seal) {
        self.sealed.store(seal.is_proved(), Ordering::Release);
    }

    /// Takes over what changed. Says whether it could, which it cannot where it is not the same token of the
    /// same key.
    pub(super) fn update_from(&self, other: &Self) -> bool {
        let same = Arc::ptr_eq(&self.key, &other.key) && self.hash == other.hash;
        if same {
            self.state.store(other.state.load(Ordering::Relaxed), Ordering::Release);
        }
        same
    }

    /// Its service account is in that state from now on.
    pub(super) fn set_service_account(&self, service_account: HolderState) {
        let now = TokenState { service_account, ..self.state() };
        self.state.store(now.pack(), Ordering::Release);
    }

    /// Has its key keep its use, as the token goes.
    pub(super) fn keep_usage(&self) {
        let (last, count) = self.usage.take();
        self.key.usage.add(last, count);
    }

    /// Its state now.
    pub fn state(&self) -> TokenState {
        TokenState::unpack(self.state.load(Ordering::Acquire))
    }

    /// What a verdict is to know of it, beside the grants of its service account.
    pub fn known<'a>(&self, sealed: bool, grants: &'a [Grant]) -> KnownToken<'a> {
        let TokenState { kind, good_until, key, service_account } = self.state();
        let token = StoredToken { hash: self.hash, kind, good_until };
        KnownToken { token, sealed, state: key, service_account, grants }
    }
}

/// What can change of a token. It is kept in one number, so that a reader sees all of it before a change or
/// after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenState {
    /// What the token is to its key.
    pub kind: TokenKind,
    /// In seconds since 1970.
    pub good_until: i64,
    /// The state of its key.
    pub key: KeyState,
    /// The state of its service account.
    pub service_account: HolderState,
}

const KINDS: [TokenKind; 3] = [TokenKind::Current, TokenKind::Next, TokenKind::Previous];
const KEY_STATES: [KeyState; 5] =
    [KeyState::Pending, KeyState::Active, KeyState::Inactive, KeyState::Expired, KeyState::Rejected];
const HOLDER_STATES: [HolderState; 5] = [
    HolderState::Gone,
    HolderState::Active,
    HolderState::Inactive,
    HolderState::Rejected,
    HolderState::Replaced,
];
/// Of each of the three. Seconds since 1970 take the rest, which reaches further than any time that a
/// manifest can hold.
const BITS: u32 = 3;

impl TokenState {
    fn pack(&self) -> u64 {
        // What was good until before 1970 was good until then as well.
        let good_until = u64::try_from(self.good_until).unwrap_or_default();
        let [kind, key, service_account] = [
            position(&KINDS, &self.kind),
            position(&KEY_STATES, &self.key),
            position(&HOLDER_STATES, &self.service_account),
        ];
        ((good_until << BITS | kind) << BITS | key) << BITS | service_account
    }

    fn unpack(all: u64) -> Self {
        let low = |shift: u32| usize::try_from(all >> shift & ((1 << BITS) - 1)).unwrap_or_default();
        Self {
            kind: KINDS.get(low(2 * BITS)).copied().unwrap_or(TokenKind::Current),
            good_until: i64::try_from(all >> (3 * BITS)).unwrap_or_default(),
            key: KEY_STATES.get(low(BITS)).copied().unwrap_or(KeyState::Pending),
            service_account: HOLDER_STATES.get(low(0)).copied().unwrap_or(HolderState::Gone),
        }
    }
}

fn position<T: PartialEq>(all: &[T], one: &T) -> u64 {
    all.iter().zip(0..).find(|(known, _)| *known == one).map_or(0, |(_, position)| position)
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
    /// UID of the service account that it was issued for; empty where it was not issued yet.
    pub issued_for: Arc<str>,
    /// The controller's seal on its tokens.
    pub(super) seal: Mutex<Seal>,
    /// The use of those of its tokens that are gone.
    pub(super) usage: Usage,
}

/// What is known of the seal on a key's tokens.
#[derive(Debug, Default)]
pub(super) struct Seal {
    claim: Option<Box<Claim>>,
    /// What the check gave; `None` until there was one.
    proved: Option<bool>,
}

impl Seal {
    /// What it is once `claim` has come.
    pub(super) fn replace(&mut self, claim: Option<Claim>) {
        if self.claim.as_deref() != claim.as_ref() {
            *self = Self { claim: claim.map(Box::new), proved: None };
        }
    }

    /// Has it checked again.
    pub(super) fn doubt(&mut self) {
        self.proved = None;
    }

    /// It was checked and is good.
    pub(super) fn is_proved(&self) -> bool {
        self.proved == Some(true)
    }

    /// Checks it, unless it was checked before. Says whether the tokens under it are believed.
    pub(super) fn prove(&mut self, trust: &Trust) -> bool {
        let Some(claim) = &self.claim else { return trust.adopting };
        self.proved = self.proved.or_else(|| match claim.check(&trust.keys) {
            Proof::Good => Some(true),
            Proof::Bad => Some(false),
            // The key may be on its way.
            Proof::UnknownKey => None,
        });
        self.is_proved()
    }
}

/// A service account as the keys that name it see it; it need not exist.
#[derive(Debug)]
pub struct Holder {
    /// Its account: the namespace.
    pub account: Arc<str>,
    /// Its name.
    pub name: Box<str>,
    /// The user that it is to Kubernetes, and the actor in audit lines.
    pub actor: Box<str>,
    /// What it may reach.
    pub grants: ArcSwap<Vec<Grant>>,
}

/// What a service account is called as a user, and as the actor.
pub fn actor(account: &str, name: &str) -> String {
    ["keyward:", account, ":", name].concat()
}

impl Holder {
    pub(super) fn new(account: &Arc<str>, name: &str) -> Self {
        Self {
            account: Arc::clone(account),
            name: name.into(),
            actor: actor(account, name).into(),
            grants: ArcSwap::default(),
        }
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
