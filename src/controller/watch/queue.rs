//! Who is to be looked at next. Each kind has a queue; where many changes concern one object, they are
//! gathered for a moment first, so that fifty keys cost one look at their service account.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use kube::runtime::reflector::ObjectRef;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::time::DelayQueue;

use crate::api::{AccessKey, Account, ResourceGrant, ServiceAccount};
use crate::controller::watch::store::SecretMeta;

/// How long changes that may give or free a seat are gathered.
const SEATS_WINDOW: Duration = Duration::from_millis(20);
/// How soon after a first change that only moves counts and logs a parent is looked at.
const COUNTS_SOON: Duration = Duration::from_millis(200);
/// How long it then rests: its status is written at most this often for them.
const COUNTS_REST: Duration = Duration::from_secs(3);
/// How many changes are gathered at most.
const GATHERED: usize = 4096;

/// The sending ends.
#[derive(Clone)]
pub(in crate::controller) struct Queues {
    accounts: UnboundedSender<ObjectRef<Account>>,
    glances: UnboundedSender<ObjectRef<Account>>,
    seats: UnboundedSender<ObjectRef<ServiceAccount>>,
    counts: UnboundedSender<ObjectRef<ServiceAccount>>,
    keys: UnboundedSender<ObjectRef<AccessKey>>,
    grants: UnboundedSender<ObjectRef<ResourceGrant>>,
    orphans: UnboundedSender<ObjectRef<SecretMeta>>,
}

/// The receiving ends.
pub(in crate::controller) struct Queued {
    accounts: UnboundedReceiver<ObjectRef<Account>>,
    glances: UnboundedReceiver<ObjectRef<Account>>,
    seats: UnboundedReceiver<ObjectRef<ServiceAccount>>,
    counts: UnboundedReceiver<ObjectRef<ServiceAccount>>,
    keys: UnboundedReceiver<ObjectRef<AccessKey>>,
    grants: UnboundedReceiver<ObjectRef<ResourceGrant>>,
    orphans: UnboundedReceiver<ObjectRef<SecretMeta>>,
}

/// The queues, both ends.
pub(in crate::controller) fn queues() -> (Queues, Queued) {
    let (accounts, accounts_end) = unbounded_channel();
    let (glances, glances_end) = unbounded_channel();
    let (seats, seats_end) = unbounded_channel();
    let (counts, counts_end) = unbounded_channel();
    let (keys, keys_end) = unbounded_channel();
    let (grants, grants_end) = unbounded_channel();
    let (orphans, orphans_end) = unbounded_channel();
    (
        Queues { accounts, glances, seats, counts, keys, grants, orphans },
        Queued {
            accounts: accounts_end,
            glances: glances_end,
            seats: seats_end,
            counts: counts_end,
            keys: keys_end,
            grants: grants_end,
            orphans: orphans_end,
        },
    )
}

impl Queues {
    pub(in crate::controller) fn account(&self, account: ObjectRef<Account>) {
        send(&self.accounts, account);
    }

    /// A change that only moves the account's snapshot.
    pub(in crate::controller) fn glance(&self, account: ObjectRef<Account>) {
        send(&self.glances, account);
    }

    /// A change by which a seat may be given or freed.
    pub(in crate::controller) fn seats(&self, service_account: ObjectRef<ServiceAccount>) {
        send(&self.seats, service_account);
    }

    /// A change that only moves the service account's counts and log.
    pub(in crate::controller) fn counts(&self, service_account: ObjectRef<ServiceAccount>) {
        send(&self.counts, service_account);
    }

    pub(in crate::controller) fn key(&self, key: ObjectRef<AccessKey>) {
        send(&self.keys, key);
    }

    pub(in crate::controller) fn grant(&self, grant: ObjectRef<ResourceGrant>) {
        send(&self.grants, grant);
    }

    /// A Secret that was published into another namespace, and whose key may be gone.
    pub(in crate::controller) fn orphan(&self, secret: ObjectRef<SecretMeta>) {
        send(&self.orphans, secret);
    }
}

fn send<T>(queue: &UnboundedSender<T>, item: T) {
    if queue.send(item).is_err() {
        tracing::debug!("a change came after the last pass of a shutdown");
    }
}

/// What each kind's loop is to look at.
pub(in crate::controller) struct Streams {
    pub(in crate::controller) accounts: Queue<Account>,
    pub(in crate::controller) service_accounts: Queue<ServiceAccount>,
    pub(in crate::controller) keys: Queue<AccessKey>,
    pub(in crate::controller) grants: Queue<ResourceGrant>,
    pub(in crate::controller) orphans: Queue<SecretMeta>,
}

/// One kind's objects, as they are to be looked at.
pub(in crate::controller) type Queue<K> = BoxStream<'static, ObjectRef<K>>;

impl Queued {
    pub(in crate::controller) fn streams(self) -> Streams {
        let Self { accounts, glances, seats, counts, keys, grants, orphans } = self;
        Streams {
            accounts: stream::select(
                gathered(accounts, SEATS_WINDOW),
                throttled(glances, COUNTS_SOON, COUNTS_REST),
            )
            .boxed(),
            service_accounts: stream::select(
                gathered(seats, SEATS_WINDOW),
                throttled(counts, COUNTS_SOON, COUNTS_REST),
            )
            .boxed(),
            keys: UnboundedReceiverStream::new(keys).boxed(),
            grants: UnboundedReceiverStream::new(grants).boxed(),
            orphans: UnboundedReceiverStream::new(orphans).boxed(),
        }
    }
}

/// Each item once for every `window` in which it came, in the order of their first coming.
fn gathered<T>(queue: UnboundedReceiver<T>, window: Duration) -> impl Stream<Item = T> + Send + 'static
where
    T: Hash + Eq + Clone + Send + 'static,
{
    let chunks =
        tokio_stream::StreamExt::chunks_timeout(UnboundedReceiverStream::new(queue), GATHERED, window);
    chunks.flat_map(|chunk| {
        let mut seen = HashSet::new();
        let first: Vec<T> = chunk.into_iter().filter(|item| seen.insert(item.clone())).collect();
        stream::iter(first)
    })
}

/// Each item `soon` after it came, but not before `rest` has passed since it was last given out.
fn throttled<T>(
    queue: UnboundedReceiver<T>,
    soon: Duration,
    rest: Duration,
) -> impl Stream<Item = T> + Send + 'static
where
    T: Hash + Eq + Clone + Send + 'static,
{
    let start = Throttle { waiting: HashSet::new(), given: HashMap::new(), due: DelayQueue::new() };
    stream::unfold((queue, start), move |(mut queue, mut throttle)| async move {
        loop {
            tokio::select! {
                item = queue.recv() => throttle.take(item?, soon, rest),
                Some(due) = throttle.due.next() => {
                    let item = throttle.give(due.into_inner(), rest);
                    return Some((item, (queue, throttle)));
                }
            }
        }
    })
}

struct Throttle<T> {
    waiting: HashSet<T>,
    given: HashMap<T, Instant>,
    due: DelayQueue<T>,
}

impl<T: Hash + Eq + Clone> Throttle<T> {
    fn take(&mut self, item: T, soon: Duration, rest: Duration) {
        if self.waiting.insert(item.clone()) {
            let rested =
                self.given.get(&item).map_or(Duration::ZERO, |given| rest.saturating_sub(given.elapsed()));
            self.due.insert(item, rested.max(soon));
        }
    }

    fn give(&mut self, item: T, rest: Duration) -> T {
        self.waiting.remove(&item);
        // Those that have rested need no memory; looked at only now and then, so that it stays cheap.
        if self.given.len() > GATHERED {
            self.given.retain(|_, given| given.elapsed() < rest);
        }
        self.given.insert(item.clone(), Instant::now());
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_first_change_is_looked_at_soon_and_the_next_ones_together_after_a_rest() {
        let (sender, queue) = unbounded_channel();
        let mut items = Box::pin(throttled(queue, COUNTS_SOON, COUNTS_REST));
        let start = Instant::now();
        for _ in 0..3 {
            sender.send("ci").unwrap();
        }
        assert_eq!(items.next().await, Some("ci"));
        assert_eq!(start.elapsed().as_millis() / 10, 20);
        for _ in 0..50 {
            sender.send("ci").unwrap();
        }
        sender.send("other").unwrap();
        assert_eq!(items.next().await, Some("other"), "it has not been given out yet");
        assert_eq!(items.next().await, Some("ci"));
        assert_eq!(start.elapsed().as_millis() / 100, 32);
    }
}
