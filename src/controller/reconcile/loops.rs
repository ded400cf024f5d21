//! Runs the drivers: one loop a kind, with a bound on how many objects are under way and a backoff for each
//! that fails.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::stream::{self, Stream, StreamExt};
use kube::ResourceExt;
use kube::runtime::controller::{Action as Requeue, Config, Controller};
use kube::runtime::reflector::ObjectRef;
use tokio_util::sync::CancellationToken;

use crate::api::{AccessKey, Account, ResourceGrant, ServiceAccount};
use crate::controller::apply::Applier;
use crate::controller::error::Error;
use crate::controller::observe::Observer;
use crate::controller::reconcile::backoff::Backoff;
use crate::controller::reconcile::driver::{Driver, Passed, Reconcile, pass};
use crate::controller::watch::queue::{Queued, Streams};
use crate::controller::watch::store::{SecretMeta, Store};
use crate::runtime::clock::Clock;
use crate::runtime::metrics::Metrics;
use crate::runtime::random::Random;
use crate::runtime::telemetry::with_causes;

/// The longest time without a look at an object that has something coming: the wall clock may be set
/// meanwhile.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// What the loops of all kinds have in common.
#[derive(Clone)]
pub(in crate::controller) struct Context {
    pub(in crate::controller) observer: Observer,
    pub(in crate::controller) applier: Applier,
    pub(in crate::controller) metrics: Metrics,
    pub(in crate::controller) clock: Clock,
    pub(in crate::controller) random: Random,
    /// How many objects of a kind are under way at once.
    pub(in crate::controller) concurrency: u16,
}

/// Reconciles objects of all kinds until `shutdown`, and then ends the passes under way.
pub(in crate::controller) async fn reconcile_all(
    context: Context,
    queued: Queued,
    shutdown: &CancellationToken,
) {
    let Streams { accounts, service_accounts, keys, grants, orphans } = queued.streams();
    let Context { observer, applier, .. } = &context;
    let world = &observer.world;
    futures::join!(
        context.each(Driver::<Account>::new(observer, applier), &world.accounts, accounts, shutdown),
        context.each(
            Driver::<ServiceAccount>::new(observer, applier),
            &world.service_accounts,
            service_accounts,
            shutdown
        ),
        context.each(Driver::<AccessKey>::new(observer, applier), &world.access_keys, keys, shutdown),
        context.each(Driver::<ResourceGrant>::new(observer, applier), &world.grants, grants, shutdown),
        context.each(Driver::<SecretMeta>::new(observer, applier), &world.secrets, orphans, shutdown),
    );
}

/// The loop of one kind.
struct Loop<R: Reconcile> {
    driver: R,
    store: Store<R::Object>,
    metrics: Metrics,
    clock: Clock,
    backoff: Backoff<R::Object>,
}

impl Context {
    /// Passes over each object that `queue` names, never two at once over the same one.
    async fn each<R: Reconcile>(
        &self,
        driver: R,
        store: &Store<R::Object>,
        queue: impl Stream<Item = ObjectRef<R::Object>> + Send + 'static,
        shutdown: &CancellationToken,
    ) {
        let reader = store.reader();
        let context = Arc::new(Loop {
            driver,
            store: store.clone(),
            metrics: self.metrics.clone(),
            clock: self.clock.clone(),
            backoff: Backoff::new(self.random.clone()),
        });
        Controller::for_stream(stream::pending(), reader)
            .reconcile_on(queue)
            .with_config(Config::default().concurrency(self.concurrency))
            .graceful_shutdown_on(shutdown.clone().cancelled_owned())
            .run(timed, failed, context)
            // A queued object that is gone meanwhile, or a failure that is reported already.
            .for_each(|_| std::future::ready(()))
            .await;
    }
}

async fn timed<R: Reconcile>(seen: Arc<R::Object>, context: Arc<Loop<R>>) -> Result<Requeue, Error> {
    let Loop { driver, store, metrics, clock, backoff } = context.as_ref();
    let started = clock.precise();
    let object_ref = ObjectRef::from_obj(seen.as_ref());
    let object = store.get(&object_ref).unwrap_or(seen);
    let Passed { look_again_at, failed } = pass(driver, &object, clock).await?;
    metrics.reconciled(R::KIND, clock.precise().saturating_sub(started));
    let coming = look_again_at.map(|at| until(at, clock));
    let wait = if let Some(error) = failed {
        Some(context.put_off(&object, &error)).into_iter().chain(coming).min()
    } else {
        backoff.succeeded(&object_ref);
        coming
    };
    Ok(wait.map_or_else(Requeue::await_change, Requeue::requeue))
}

/// How long until `at`, as the wall clock goes.
fn until(at: DateTime<Utc>, clock: &Clock) -> Duration {
    (at - clock.now()).to_std().unwrap_or_default().min(LONGEST_WAIT)
}

#[allow(clippy::needless_pass_by_value, reason = "the signature that kube calls")]
fn failed<R: Reconcile>(object: Arc<R::Object>, error: &Error, context: Arc<Loop<R>>) -> Requeue {
    // The object or its namespace is going; a change will say so if it stays.
    if matches!(error.reason(), "NotFound" | "NamespaceTerminating") {
        let (kind, namespace, name) = (R::KIND.as_str(), object.namespace(), object.name_any());
        context.metrics.failed(R::KIND, error.reason());
        tracing::debug!(kind, namespace, name, %error, "the object is going away");
        return Requeue::await_change();
    }
    Requeue::requeue(context.put_off(&object, error))
}

impl<R: Reconcile> Loop<R> {
    /// Reports a failure, and says how long to wait for the next try.
    fn put_off(&self, object: &R::Object, error: &Error) -> Duration {
        let kind = R::KIND.as_str();
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        self.metrics.failed(R::KIND, error.reason());
        let (wait, failures) = self.backoff.failed(ObjectRef::from_obj(object));
        if error.reason() == "Conflict" {
            tracing::debug!(kind, namespace, name, %error, "the object changed meanwhile; trying again");
        } else {
            let error = with_causes(error);
            tracing::warn!(
                kind,
                namespace,
                name,
                error,
                failures,
                wait_ms = wait.as_millis(),
                "a pass failed; trying again"
            );
        }
        wait
    }
}
