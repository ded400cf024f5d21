//! Use that is not written yet. Requests only leave a mark here; `flush` takes it to the cluster.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::domain::audit::acting::{Act, Repeats};
use crate::domain::value::time::at_second;
use crate::verifier::check::outcome::Outcome;
use crate::verifier::index::{Entry, Key};

/// How many different acts are kept apart between two flushes. A key can act for any number of users.
const ACTS: usize = 10_000;
/// In place of the users beyond [`ACTS`].
const OTHERS: &str = "(others)";

/// Takes marks of use.
pub struct Recorder {
    used: mpsc::UnboundedSender<Arc<Key>>,
    acts: Mutex<ActsByLog>,
}

/// Whose log an act belongs to: account and service account.
pub(super) type LogName = (Arc<str>, Box<str>);

/// Acts, with how often each was repeated.
pub(super) type Repeated = HashMap<Act, Repeats>;

/// Acts by the log that they belong to.
pub(super) type ActsByLog = BTreeMap<LogName, Repeated>;

/// The keys that were used, each once until it is taken.
pub type Used = mpsc::UnboundedReceiver<Arc<Key>>;

impl Recorder {
    /// A recorder, and what it records of keys.
    pub fn new() -> (Self, Used) {
        let (used, receiver) = mpsc::unbounded_channel();
        (Self { used, acts: Mutex::default() }, receiver)
    }

    /// The key was used. Says whether this is its first use since its use was taken.
    pub(in crate::verifier) fn used(&self, entry: &Entry, second: i64) -> bool {
        let first = entry.usage.used(second);
        if first {
            // Nobody receives any more only while the process ends.
            let _ = self.used.send(Arc::clone(&entry.key));
        }
        first
    }

    /// A key acted for a user, or tried to.
    pub(in crate::verifier) fn acted(&self, act: Act, outcome: &Outcome<'_>) {
        let Some(holder) = outcome.key().map(|key| &key.holder) else { return };
        let mut acts = self.acts.lock();
        let full = acts.values().map(HashMap::len).sum::<usize>() >= ACTS;
        let of_holder = acts.entry((Arc::clone(&holder.account), holder.name.clone())).or_default();
        let act = if full && !of_holder.contains_key(&act) {
            Act { on_behalf_of: OTHERS.to_owned(), ..act }
        } else {
            act
        };
        add(of_holder, act, Repeats { count: 1, last: at_second(outcome.second) });
    }

    /// Every act since they were taken before.
    pub(super) fn take_acts(&self) -> ActsByLog {
        std::mem::take(&mut *self.acts.lock())
    }

    /// Puts back what could not be written.
    pub(super) fn put_back(&self, log: LogName, acts: Repeated) {
        let mut all = self.acts.lock();
        let of_holder = all.entry(log).or_default();
        for (act, repeats) in acts {
            add(of_holder, act, repeats);
        }
    }
}

fn add(acts: &mut Repeated, act: Act, new: Repeats) {
    let repeats = acts.entry(act).or_insert(Repeats { count: 0, last: new.last });
    repeats.count = repeats.count.saturating_add(new.count);
    repeats.last = repeats.last.max(new.last);
}
