//! Acts that no log has yet, within bounds: whatever a client varies, one more takes the same time, and all
//! of them no more than so much memory. What is beyond is still counted. No lock and no clock come in.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::domain::audit::acting::{ACTING_LOG, Act, Others, Repeats};

/// What may be kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Different acts of one service account. Its log has room for these, and for the two entries that tell
    /// the others by number.
    pub(super) of_log: usize,
    /// Different acts of all of them.
    pub(super) acts: usize,
    /// Bytes that those have.
    pub(super) bytes: usize,
    /// Service accounts.
    pub(super) logs: usize,
}

impl Bounds {
    /// Those of a verifier.
    pub(super) const STANDARD: Self =
        Self { of_log: ACTING_LOG - 2, acts: 10_000, bytes: 4 * 1024 * 1024, logs: 20_000 };
}

/// Whose log an act belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct LogOwner {
    pub(super) account: Arc<str>,
    pub(super) service_account: Box<str>,
    /// UID of the service account: another of the same name has nothing to do with it.
    pub(super) uid: Arc<str>,
}

/// How an act is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verifier) enum Kept {
    /// With all that is known of it.
    Listed,
    /// As one more of its service account.
    Counted,
    /// Not at all.
    Dropped,
}

/// The acts of one service account.
#[derive(Debug, Default)]
pub(super) struct ActsOfLog {
    pub(super) listed: HashMap<Act, Repeats>,
    let_in: Option<Repeats>,
    refused: Option<Repeats>,
}

/// Acts by the log that they belong to.
#[derive(Debug)]
pub(super) struct Pending {
    bounds: Bounds,
    logs: HashMap<Arc<LogOwner>, ActsOfLog>,
    /// The same logs, the one that waits longest first.
    queue: VecDeque<Arc<LogOwner>>,
    acts: usize,
    bytes: usize,
}

impl ActsOfLog {
    /// Those told by number only.
    pub(super) fn others<'a>(
        &self,
        owner: &'a LogOwner,
    ) -> impl Iterator<Item = (Others<'a>, Repeats)> + use<'a> {
        let LogOwner { account, service_account, uid } = owner;
        [(false, self.let_in), (true, self.refused)].into_iter().filter_map(move |(refused, repeats)| {
            Some((Others { service_account_uid: uid, account, service_account, refused }, repeats?))
        })
    }

    fn count(&mut self, refused: bool, repeats: Repeats) {
        let counted = if refused { &mut self.refused } else { &mut self.let_in };
        *counted = Some(counted.map_or(repeats, |before| before.and(repeats)));
    }
}

impl Pending {
    /// Nothing yet.
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, logs: HashMap::new(), queue: VecDeque::new(), acts: 0, bytes: 0 }
    }

    /// How many logs wait.
    pub(super) fn logs(&self) -> usize {
        self.queue.len()
    }

    /// Adds so many of `act`.
    pub(super) fn add(&mut self, owner: &LogOwner, act: Act, repeats: Repeats) -> Kept {
        let Bounds { of_log, acts, bytes, logs: _ } = self.bounds;
        let length = act.length();
        let has_room = self.acts < acts && self.bytes + length <= bytes;
        let Some(log) = self.log(owner) else { return Kept::Dropped };
        let has_room = has_room && log.listed.len() < of_log;
        let refused = act.refused.is_some();
        match log.listed.entry(act) {
            Entry::Occupied(mut known) => {
                let all = known.get().and(repeats);
                known.insert(all);
                Kept::Listed
            }
            Entry::Vacant(free) if has_room => {
                free.insert(repeats);
                self.acts += 1;
                self.bytes += length;
                Kept::Listed
            }
            Entry::Vacant(_) => {
                log.count(refused, repeats);
                Kept::Counted
            }
        }
    }

    /// Takes the log that waits longest.
    pub(super) fn take(&mut self) -> Option<(Arc<LogOwner>, ActsOfLog)> {
        let owner = self.queue.pop_front()?;
        let acts = self.logs.remove(&owner)?;
        self.acts -= acts.listed.len();
        self.bytes -= acts.listed.keys().map(Act::length).sum::<usize>();
        Some((owner, acts))
    }

    /// Puts back what could not be written; it waits anew.
    pub(super) fn put_back(&mut self, owner: &LogOwner, acts: ActsOfLog) {
        let ActsOfLog { listed, let_in, refused } = acts;
        for (act, repeats) in listed {
            self.add(owner, act, repeats);
        }
        let Some(log) = self.log(owner) else { return };
        for (refused, repeats) in [(false, let_in), (true, refused)] {
            if let Some(repeats) = repeats {
                log.count(refused, repeats);
            }
        }
    }

    /// The acts of that log; `None` where there are too many logs for one more.
    fn log(&mut self, owner: &LogOwner) -> Option<&mut ActsOfLog> {
        // Looked up twice, since most of the time it is there and needs no owner of its own.
        if !self.logs.contains_key(owner) {
            if self.queue.len() >= self.bounds.logs {
                return None;
            }
            let owner = Arc::new(owner.clone());
            self.queue.push_back(Arc::clone(&owner));
            self.logs.insert(owner, ActsOfLog::default());
        }
        self.logs.get_mut(owner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::verdict::Cause;

    const BOUNDS: Bounds = Bounds { of_log: 3, acts: 8, bytes: 200, logs: 4 };

    fn owner(number: u8) -> LogOwner {
        LogOwner {
            account: "team-a".into(),
            service_account: format!("ci-{number}").into(),
            uid: format!("uid-{number}").into(),
        }
    }

    fn act(person: &str, refused: bool) -> Act {
        Act {
            service_account_uid: String::new(),
            actor: String::new(),
            key: "deploy".into(),
            key_id: String::new(),
            on_behalf_of: person.into(),
            resource: None,
            refused: refused.then_some(Cause::NotGranted),
        }
    }

    fn once(second: i64) -> Repeats {
        Repeats { count: 1, last: DateTime::from_timestamp(second, 0).unwrap() }
    }

    /// How often the acts of each log have happened.
    fn totals(pending: &mut Pending) -> BTreeMap<String, usize> {
        let mut totals = BTreeMap::new();
        while let Some((owner, acts)) = pending.take() {
            let others = acts.others(&owner).map(|(_, repeats)| repeats.count).sum::<usize>();
            let listed = acts.listed.values().map(|repeats| repeats.count).sum::<usize>();
            totals.insert(owner.service_account.to_string(), others + listed);
        }
        totals
    }

    #[test]
    fn further_acts_of_a_service_account_are_counted_and_known_ones_add_up() {
        let mut pending = Pending::new(Bounds::STANDARD);
        let ci = owner(0);
        for number in 0..ACTING_LOG - 2 {
            assert_eq!(pending.add(&ci, act(&number.to_string(), false), once(1)), Kept::Listed);
        }
        assert_eq!(pending.add(&ci, act("one more", false), once(2)), Kept::Counted);
        assert_eq!(pending.add(&ci, act("one more", true), once(3)), Kept::Counted);
        assert_eq!(pending.add(&ci, act("0", false), once(4)), Kept::Listed);
        assert_eq!(pending.add(&owner(1), act("one more", false), once(5)), Kept::Listed);
        let (taken, acts) = pending.take().unwrap();
        assert_eq!(*taken, ci);
        assert_eq!(acts.listed[&act("0", false)], Repeats { count: 2, ..once(4) });
        let others: Vec<_> = acts.others(&ci).map(|(others, repeats)| (others.refused, repeats)).collect();
        assert_eq!(others, [(false, once(2)), (true, once(3))]);
    }

    #[test]
    fn what_is_put_back_is_counted_once_and_waits_behind_the_others() {
        let mut pending = Pending::new(Bounds::STANDARD);
        pending.add(&owner(0), act("ann", false), once(1));
        pending.add(&owner(1), act("ann", false), once(1));
        let (first, acts) = pending.take().unwrap();
        pending.add(&owner(0), act("ann", false), once(2));
        pending.put_back(&first, acts);
        assert_eq!(pending.take().unwrap().0.service_account, owner(1).service_account);
        assert_eq!(pending.take().unwrap().1.listed[&act("ann", false)], Repeats { count: 2, ..once(2) });
        assert!(pending.take().is_none());
    }

    proptest! {
        #[test]
        fn whatever_is_varied_the_bounds_hold_and_every_act_of_a_known_log_is_counted(
            steps in prop::collection::vec((0u8..6, "[a-z]{0,40}", any::<bool>(), any::<bool>()), 0..200),
        ) {
            let mut pending = Pending::new(BOUNDS);
            let mut expected: BTreeMap<String, usize> = BTreeMap::new();
            for (number, person, refused, write_fails) in steps {
                let kept = pending.add(&owner(number), act(&person, refused), once(1));
                if kept != Kept::Dropped {
                    *expected.entry(format!("ci-{number}")).or_default() += 1;
                }
                if write_fails {
                    let (owner, acts) = pending.take().unwrap();
                    pending.put_back(&owner, acts);
                }
                let lists = pending.logs.values().map(|acts| &acts.listed);
                prop_assert!(lists.clone().all(|listed| listed.len() <= BOUNDS.of_log));
                prop_assert_eq!(pending.acts, lists.clone().map(HashMap::len).sum::<usize>());
                prop_assert_eq!(pending.bytes, lists.flat_map(HashMap::keys).map(Act::length).sum::<usize>());
                prop_assert!(pending.acts <= BOUNDS.acts && pending.bytes <= BOUNDS.bytes);
                prop_assert!(pending.logs.len() <= BOUNDS.logs);
                prop_assert_eq!(pending.logs.len(), pending.queue.len());
            }
            prop_assert_eq!(totals(&mut pending), expected);
            prop_assert_eq!((pending.acts, pending.bytes), (0, 0));
        }
    }
}
