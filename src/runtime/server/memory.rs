//! The budget, in bytes, for what requests hold in memory, and who gives way where it is used up: first those
//! who have not shown that they belong here, and of them those who hold most. So no stranger, and nobody with
//! much, keeps out who wants little. A connection is opened, and gives way as a stranger, in
//! logarithmic time. No clock and no network come in.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// The budget of one port.
#[derive(Debug)]
pub(super) struct Memory {
    budget: usize,
    most_connections: usize,
    state: Mutex<State>,
    /// Goes up with every connection, and with every request that is let in.
    sequence: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    used: usize,
    connections: HashMap<u64, Holding>,
    /// Those that are not trusted: the one that holds most first, and of those who hold alike the oldest, so
    /// that each has the same time. A crowd of strangers must not have all of them looked at for each.
    strangers: BTreeSet<(Reverse<usize>, u64)>,
}

#[derive(Debug)]
struct Holding {
    bytes: usize,
    rank: Arc<Rank>,
    close: CancellationToken,
}

/// What decides whether a connection gives way to another.
#[derive(Debug)]
struct Rank {
    /// Whether its client belongs here, as far as it has shown.
    trusted: AtomicBool,
    /// When it was opened, or last let in where it was.
    last: AtomicU64,
}

impl Rank {
    fn last(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }
}

/// An open connection. Whatever it holds is free again when it is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    id: u64,
    memory: Arc<Memory>,
    rank: Arc<Rank>,
    /// Cancelled where it is to give way.
    pub(super) close: CancellationToken,
}

impl Memory {
    /// So many bytes, for at most so many connections.
    pub(super) fn new(budget: usize, most_connections: usize) -> Arc<Self> {
        let state = Mutex::default();
        Arc::new(Self { budget, most_connections, state, sequence: AtomicU64::new(0) })
    }

    /// A new connection, which holds so many `bytes` from the start. Where there is no room another one gives
    /// way, how many says the number.
    pub(super) fn open(self: &Arc<Self>, bytes: usize) -> (Arc<Connection>, u64) {
        let id = self.next();
        let rank = Arc::new(Rank { trusted: AtomicBool::new(false), last: AtomicU64::new(id) });
        let close = CancellationToken::new();
        let mut state = self.state.lock();
        let mut gone = 0;
        while state.connections.len() >= self.most_connections || state.used + bytes > self.budget {
            let stranger = state.strangers.first().map(|(_, id)| *id);
            let Some(id) = stranger.or_else(|| state.first(|holding| Some(holding.rank.last()))) else {
                break;
            };
            state.end(id);
            gone += 1;
        }
        state.used += bytes;
        state.strangers.insert((Reverse(bytes), id));
        let holding = Holding { bytes, rank: Arc::clone(&rank), close: close.clone() };
        state.connections.insert(id, holding);
        drop(state);
        (Arc::new(Connection { id, memory: Arc::clone(self), rank, close }), gone)
    }

    fn next(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed)
    }
}

impl State {
    /// The connection that comes first in an order; those without a place are left out.
    fn first<O: Ord>(&self, order: impl Fn(&Holding) -> Option<O>) -> Option<u64> {
        let placed = self.connections.iter().filter_map(|(id, holding)| Some((order(holding)?, *id)));
        placed.min().map(|(_, id)| id)
    }

    /// Who gives way to a connection that is to hold so many bytes: a stranger who holds more, or any where
    /// it is none itself; and where it is none and there are none, one of its own who holds more.
    fn gives_way_to(&self, id: u64, bytes: usize, trusted: bool) -> Option<u64> {
        let stranger = self.strangers.iter().find(|(_, other)| *other != id);
        match stranger {
            Some((Reverse(held), other)) => (trusted || *held > bytes).then_some(*other),
            None if !trusted => None,
            None => self.first(|holding| (holding.bytes > bytes).then_some(Reverse(holding.bytes))),
        }
    }

    /// Has a connection give way. What it holds counts as free, which it is in a moment.
    fn end(&mut self, id: u64) {
        if let Some(Holding { bytes, rank: _, close }) = self.connections.remove(&id) {
            self.strangers.remove(&(Reverse(bytes), id));
            self.used -= bytes;
            close.cancel();
        }
    }

    /// Has a connection that is still open hold so many bytes.
    fn set(&mut self, id: u64, bytes: usize) {
        let Some(holding) = self.connections.get_mut(&id) else { return };
        let before = std::mem::replace(&mut holding.bytes, bytes);
        self.used = self.used - before + bytes;
        if self.strangers.remove(&(Reverse(before), id)) {
            self.strangers.insert((Reverse(bytes), id));
        }
    }

    fn held(&self, id: u64) -> Option<usize> {
        self.connections.get(&id).map(|holding| holding.bytes)
    }
}

impl Connection {
    /// Its client belongs here: it was let in.
    pub(super) fn trust(&self) {
        self.rank.last.store(self.memory.next(), Ordering::Relaxed);
        if !self.rank.trusted.swap(true, Ordering::Relaxed) {
            let mut state = self.memory.state.lock();
            if let Some(bytes) = state.held(self.id) {
                state.strangers.remove(&(Reverse(bytes), self.id));
            }
        }
    }

    /// Whether so many more bytes may be held, until they are given back. Where there is no room, those give
    /// way who hold more, and all strangers to one who is none.
    pub(super) fn hold(&self, bytes: usize) -> bool {
        let trusted = self.rank.trusted.load(Ordering::Relaxed);
        let mut state = self.memory.state.lock();
        let Some(all) = state.held(self.id).map(|held| held + bytes) else { return false };
        while state.used + bytes > self.memory.budget {
            let Some(other) = state.gives_way_to(self.id, all, trusted) else { return false };
            state.end(other);
        }
        state.set(self.id, all);
        true
    }

    /// Gives back what was held.
    pub(super) fn release(&self, bytes: usize) {
        let mut state = self.memory.state.lock();
        if let Some(held) = state.held(self.id) {
            state.set(self.id, held - bytes);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.memory.state.lock().end(self.id);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_open(connection: &Connection) -> bool {
        !connection.close.is_cancelled()
    }

    #[test]
    fn the_oldest_stranger_gives_way_to_a_new_connection_and_one_that_was_let_in_stays() {
        let memory = Memory::new(100, 3);
        let [let_in, oldest, other] = [0; 3].map(|_| memory.open(10).0);
        let_in.trust();
        let (newest, gone) = memory.open(10);
        assert_eq!(gone, 1);
        assert_eq!([&let_in, &oldest, &other, &newest].map(|one| is_open(one)), [true, false, true, true]);
    }

    #[test]
    fn where_all_were_let_in_the_one_that_was_not_for_longest_gives_way() {
        let memory = Memory::new(100, 2);
        let [one, other] = [0; 2].map(|_| memory.open(10).0);
        one.trust();
        other.trust();
        one.trust();
        let (newest, _) = memory.open(10);
        assert_eq!([&one, &other, &newest].map(|one| is_open(one)), [true, false, true]);
    }

    #[test]
    fn who_holds_most_gives_way_to_who_wants_little_and_not_the_other_way_round() {
        let memory = Memory::new(100, 9);
        let [greedy, modest] = [0; 2].map(|_| memory.open(10).0);
        assert!(greedy.hold(80));
        assert!(!greedy.hold(1), "nobody holds more");
        assert!(modest.hold(5));
        assert_eq!([&greedy, &modest].map(|one| is_open(one)), [false, true]);
        assert!(!greedy.hold(1), "it is closed");
        greedy.release(80);
        drop(greedy);
        assert_eq!(memory.state.lock().used, 15, "what it held is free once");
    }

    #[test]
    fn strangers_give_way_to_one_that_was_let_in_however_little_they_hold() {
        let memory = Memory::new(40, 9);
        let [let_in, stranger] = [0; 2].map(|_| memory.open(10).0);
        let_in.trust();
        assert!(let_in.hold(25));
        assert!(!is_open(&stranger));
        let stranger = memory.open(5).0;
        assert!(!stranger.hold(1), "one that was let in does not give way to a stranger that wants more");
        assert!(is_open(&let_in));
    }

    proptest! {
        #[test]
        fn the_budget_holds_whatever_is_done(
            steps in prop::collection::vec((0u8..5, 0usize..6, 0usize..60), 0..300),
        ) {
            let memory = Memory::new(200, 5);
            let mut open: Vec<(Arc<Connection>, usize)> = Vec::new();
            for (what, which, bytes) in steps {
                let len = open.len().max(1);
                match (what, open.get_mut(which % len)) {
                    (0, _) => open.push((memory.open(20).0, 0)),
                    (1, Some((one, held))) if one.hold(bytes) => *held += bytes,
                    (2, Some((one, held))) => { one.release(*held); *held = 0; },
                    (3, Some((one, _))) => one.trust(),
                    (4, Some(_)) => drop(open.swap_remove(which % len)),
                    _ => {}
                }
                let state = memory.state.lock();
                prop_assert!(state.used <= 200 && state.connections.len() <= 5);
                let strangers = state.connections.iter().filter(|(_, one)| !one.rank.trusted.load(Ordering::Relaxed));
                let strangers: BTreeSet<_> = strangers.map(|(id, one)| (Reverse(one.bytes), *id)).collect();
                prop_assert_eq!(&state.strangers, &strangers);
                let held: usize = open.iter().filter(|(one, _)| is_open(one)).map(|(_, held)| held + 20).sum();
                prop_assert_eq!(state.used, held);
            }
            drop(open);
            prop_assert_eq!(memory.state.lock().used, 0);
        }
    }
}
