//! Use that is not written yet. Requests only leave a mark here; `flush` takes it to the cluster.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::domain::audit::acting::{Act, Repeats};
use crate::domain::value::time::at_second;
use crate::verifier::index::{Entry, Key};
use crate::verifier::usage::pending::{ActsOfLog, Bounds, Kept, LogOwner, Pending};

/// Takes marks of use.
pub struct Recorder {
    /// Has each token at most once, so it is bounded by the index.
    used: mpsc::UnboundedSender<Arc<Key>>,
    acts: Mutex<Pending>,
}

/// The keys that were used, each once until it is taken.
pub type Used = mpsc::UnboundedReceiver<Arc<Key>>;

impl Recorder {
    /// A recorder, and what it records of keys.
    pub fn new() -> (Self, Used) {
        let (used, receiver) = mpsc::unbounded_channel();
        (Self { used, acts: Mutex::new(Pending::new(Bounds::STANDARD)) }, receiver)
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

    /// `key` acted for a user, or tried to.
    pub(in crate::verifier) fn acted(&self, key: &Key, act: Act, second: i64) -> Kept {
        let owner = LogOwner {
            account: Arc::clone(&key.holder.account),
            service_account: key.holder.name.clone(),
            uid: Arc::clone(&key.issued_for),
        };
        self.acts.lock().add(&owner, act, Repeats { count: 1, last: at_second(second) })
    }

    /// How many service accounts have acts that wait.
    pub(super) fn logs(&self) -> usize {
        self.acts.lock().logs()
    }

    /// The acts of the service account that waits longest.
    pub(super) fn take_acts(&self) -> Option<(Arc<LogOwner>, ActsOfLog)> {
        self.acts.lock().take()
    }

    /// Puts back what could not be written.
    pub(super) fn put_back(&self, owner: &LogOwner, acts: ActsOfLog) {
        self.acts.lock().put_back(owner, acts);
    }
}
