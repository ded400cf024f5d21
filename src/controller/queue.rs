//! Who is to be looked at next. Each kind has a queue; where many changes concern one object, they are gathered for a
//! moment first, so that fifty keys cost one look at their service account.

use std::collections::HashSet;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use kube::runtime::reflector::ObjectRef;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::api::{AccessKey, Account, ServiceAccount};

/// How long changes that may give or free a seat are gathered.
const SEATS_WINDOW: Duration = Duration::from_millis(20);
/// How long changes that only move counts and logs are gathered: a parent's status is written at most this often for
/// them.
const COUNTS_WINDOW: Duration = Duration::from_secs(1);
/// How many changes are gathered at most.
const GATHERED: usize = 4096;

/// The sending ends.
#[derive(Clone)]
pub(super) struct Queues {
    accounts: UnboundedSender<ObjectRef<Account>>,
    seats: UnboundedSender<ObjectRef<ServiceAccount>>,
    counts: UnboundedSender<ObjectRef<ServiceAccount>>,
    keys: UnboundedSender<ObjectRef<AccessKey>>,
}

/// The receiving ends.
pub(super) struct Queued {
    accounts: UnboundedReceiver<ObjectRef<Account>>,
    seats: UnboundedReceiver<ObjectRef<ServiceAccount>>,
    counts: UnboundedReceiver<ObjectRef<ServiceAccount>>,
    keys: UnboundedReceiver<ObjectRef<AccessKey>>,
}

/// The queues, both ends.
pub(super) fn queues() -> (Queues, Queued) {
    let (accounts, accounts_end) = unbounded_channel();
    let (seats, seats_end) = unbounded_channel();
    let (counts, counts_end) = unbounded_channel();
    let (keys, keys_end) = unbounded_channel();
    (
        Queues { accounts, seats, counts, keys },
        Queued { accounts: accounts_end, seats: seats_end, counts: counts_end, keys: keys_end },
    )
}

impl Queues {
    pub(super) fn account(&self, account: ObjectRef<Account>) {
        send(&self.accounts, account);
    }

    /// A change by which a seat may be given or freed.
    pub(super) fn seats(&self, service_account: ObjectRef<ServiceAccount>) {
        send(&self.seats, service_account);
    }

    /// A change that only moves the service account's counts and log.
    pub(super) fn counts(&self, service_account: ObjectRef<ServiceAccount>) {
        send(&self.counts, service_account);
    }

    pub(super) fn key(&self, key: ObjectRef<AccessKey>) {
        send(&self.keys, key);
    }
}

fn send<T>(queue: &UnboundedSender<T>, item: T) {
    if queue.send(item).is_err() {
        tracing::debug!("a change came after the last pass of a shutdown");
    }
}

/// What each kind's loop is to look at.
pub(super) struct Streams<A, S, K> {
    pub(super) accounts: A,
    pub(super) service_accounts: S,
    pub(super) keys: K,
}

impl Queued {
    pub(super) fn streams(
        self,
    ) -> Streams<
        impl Stream<Item = ObjectRef<Account>> + Send + 'static,
        impl Stream<Item = ObjectRef<ServiceAccount>> + Send + 'static,
        impl Stream<Item = ObjectRef<AccessKey>> + Send + 'static,
    > {
        Streams {
            accounts: gathered(self.accounts, SEATS_WINDOW),
            service_accounts: stream::select(
                gathered(self.seats, SEATS_WINDOW),
                gathered(self.counts, COUNTS_WINDOW),
            ),
            keys: UnboundedReceiverStream::new(self.keys),
        }
    }
}

/// Each item once for every `window` in which it came.
fn gathered<T>(queue: UnboundedReceiver<T>, window: Duration) -> impl Stream<Item = T> + Send + 'static
where
    T: std::hash::Hash + Eq + Send + 'static,
{
    let chunks =
        tokio_stream::StreamExt::chunks_timeout(UnboundedReceiverStream::new(queue), GATHERED, window);
    chunks.flat_map(|chunk| stream::iter(chunk.into_iter().collect::<HashSet<T>>()))
}
