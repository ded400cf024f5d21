//! How fresh what the verifier knows is: when it last heard of each kind from the API server. What it knows
//! is only good for a while.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use strum::VariantArray;

use crate::api::Kind;
use crate::domain::verdict::FeedState;
use crate::runtime::clock::Clock;

/// The kinds of objects that are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum Followed {
    /// `AccessKey`.
    AccessKeys,
    /// `ServiceAccount`.
    ServiceAccounts,
    /// `ResourceGrant`.
    ResourceGrants,
}

impl Followed {
    /// All of them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The kind's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessKeys => Kind::AccessKey.as_str(),
            Self::ServiceAccounts => Kind::ServiceAccount.as_str(),
            Self::ResourceGrants => Kind::ResourceGrant.as_str(),
        }
    }
}

/// When each kind was last heard of.
#[derive(Debug)]
pub struct Freshness {
    clock: Clock,
    started: Duration,
    bound: Duration,
    /// Milliseconds since the start, by kind; 0 until its first list is complete.
    heard: [AtomicU64; Followed::ALL.len()],
}

impl Freshness {
    /// Nothing was heard yet; silence is borne for `bound`.
    pub fn new(bound: Duration, clock: Clock) -> Self {
        Self { started: clock.monotonic(), clock, bound, heard: Default::default() }
    }

    /// How long silence is borne.
    pub fn bound(&self) -> Duration {
        self.bound
    }

    /// The API server has said how things are with this kind, or that nothing changed.
    pub fn heard(&self, kind: Followed) {
        self.slot(kind).store(self.elapsed(), Ordering::Release);
    }

    /// How well the cluster is known now.
    pub fn state(&self) -> FeedState {
        self.state_at(self.elapsed())
    }

    fn state_at(&self, elapsed: u64) -> FeedState {
        let Some(oldest) = self.heard.iter().map(|at| at.load(Ordering::Acquire)).min() else {
            return FeedState::NotSynced;
        };
        if oldest == 0 {
            return FeedState::NotSynced;
        }
        let silence = elapsed.saturating_sub(oldest);
        if u128::from(silence) > self.bound.as_millis() { FeedState::Stale } else { FeedState::Fresh }
    }

    /// For how long nothing was heard of this kind; `None` before the first list.
    pub fn silence(&self, kind: Followed) -> Option<Duration> {
        let at = self.slot(kind).load(Ordering::Acquire);
        (at > 0).then(|| Duration::from_millis(self.elapsed().saturating_sub(at)))
    }

    fn slot(&self, kind: Followed) -> &AtomicU64 {
        let [keys, service_accounts, grants] = &self.heard;
        match kind {
            Followed::AccessKeys => keys,
            Followed::ServiceAccounts => service_accounts,
            Followed::ResourceGrants => grants,
        }
    }

    /// Never 0, which means that nothing was heard.
    fn elapsed(&self) -> u64 {
        let elapsed = self.clock.monotonic().saturating_sub(self.started);
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_is_known_once_every_kind_was_heard_of() {
        let freshness = Freshness::new(Duration::from_mins(5), Clock::System);
        for kind in Followed::ALL.iter().copied() {
            assert_eq!((freshness.state(), freshness.silence(kind)), (FeedState::NotSynced, None));
            freshness.heard(kind);
            assert!(freshness.silence(kind).is_some());
        }
        assert_eq!(freshness.state(), FeedState::Fresh);
    }

    #[test]
    fn silence_about_one_kind_makes_all_of_it_stale() {
        let freshness = Freshness::new(Duration::from_mins(5), Clock::System);
        for kind in Followed::ALL.iter().copied() {
            freshness.heard(kind);
        }
        let later = freshness.elapsed() + 10 * 60 * 1000;
        for kind in Followed::ALL.iter().copied() {
            assert_eq!(freshness.state_at(later), FeedState::Stale);
            freshness.slot(kind).store(later, Ordering::Release);
        }
        assert_eq!(freshness.state_at(later), FeedState::Fresh);
    }
}
