//! One object as it changes: by a watch, or by polling where the user may get and not watch.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, watch_object};

use crate::kubectl::cluster::client::{Cluster, Scope};
use crate::kubectl::cluster::object::NamespacedObject;
use crate::kubectl::error::Error;
use crate::kubectl::output::screen;
use crate::runtime::telemetry::with_causes;

/// How long between two polls, without a watch.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// An object that is followed.
pub struct Follow<'a, K: NamespacedObject> {
    cluster: &'a Cluster,
    name: &'a str,
    source: Source<K>,
}

enum Source<K> {
    Watch { states: BoxStream<'static, Result<Option<K>, watcher::Error>>, interrupted: bool },
    Poll { first: bool },
}

impl<'a, K: NamespacedObject> Follow<'a, K> {
    pub fn new(cluster: &'a Cluster, name: &'a str) -> Self {
        // It waits longer after each failure, half a minute at most.
        let states = watch_object(cluster.api::<K>(Scope::One), name).default_backoff().boxed();
        Self { cluster, name, source: Source::Watch { states, interrupted: false } }
    }

    /// The object as it is, and from then on as it is after each change; `None` while it is not there.
    ///
    /// # Errors
    /// Where waiting cannot help: it may not be seen, or the kind is not served.
    pub async fn next(&mut self) -> Result<Option<K>, Error> {
        loop {
            match &mut self.source {
                Source::Poll { first } => {
                    if !std::mem::take(first) {
                        tokio::time::sleep(POLL_INTERVAL).await;
                    }
                    return self.cluster.find(self.name).await;
                }
                Source::Watch { states, interrupted } => match states.next().await {
                    Some(Ok(state)) => {
                        *interrupted = false;
                        return Ok(state);
                    }
                    Some(Err(error)) => match interruption(&error, self.cluster.server()) {
                        Interruption::Refused(error) if error.is_denied() => {
                            self.source = Source::Poll { first: true }
                        }
                        Interruption::Refused(error) => return Err(error),
                        Interruption::Passing(cause) => {
                            if !std::mem::replace(interrupted, true) {
                                screen::warn(&format!(
                                    "the watch was interrupted and is taken up again: {cause}"
                                ));
                            }
                        }
                    },
                    None => self.source = Source::Poll { first: true },
                },
            }
        }
    }
}

enum Interruption {
    /// It will be refused again.
    Refused(Error),
    /// It may be over soon.
    Passing(String),
}

/// What an interruption of the watch means.
fn interruption(error: &watcher::Error, server: &str) -> Interruption {
    let status = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status)) => Some(status.clone()),
        _ => None,
    };
    match status.filter(|status| [401, 403, 404].contains(&status.code)) {
        Some(status) => Interruption::Refused(Error::of_call(kube::Error::Api(status), server)),
        None => Interruption::Passing(with_causes(error)),
    }
}
