//! Wires the controller together and runs it: the feed, the lease, and one loop for each kind.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures::stream::{self, Stream, StreamExt};
use kube::runtime::controller::{Action as Requeue, Config, Controller};
use kube::runtime::reflector::ObjectRef;
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::api::{AccessKey, Account, ResourceGrant, ServiceAccount};
use crate::controller::apply::actor::{Actor, Error as PassError};
use crate::controller::metrics::count;
use crate::controller::observe::Observer;
use crate::controller::reconcile::backoff::Backoff;
use crate::controller::reconcile::{access_key, account, orphan, resource_grant, service_account};
use crate::controller::watch::feed::follow;
use crate::controller::watch::queue::{Queued, Streams, queues};
use crate::controller::watch::store::{SecretMeta, Store, World};
use crate::runtime::audit::{Audit, Source};
use crate::runtime::clock::now;
use crate::runtime::config::{ControllerArgs, LeaseArgs, ProcessArgs};
use crate::runtime::health::Health;
use crate::runtime::lease::{self, Leadership};
use crate::runtime::metrics::Metrics;
use crate::runtime::preflight;
use crate::runtime::telemetry::with_causes;

/// The longest time without a look at an object that has something coming: the wall clock may be set meanwhile.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// What [`run`] needs to know.
pub type Options = ControllerArgs;

/// Why the controller stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot work on this cluster.
    #[error(transparent)]
    Preflight(#[from] preflight::Error),
    /// The health endpoints cannot be offered.
    #[error("the health endpoints on {0}")]
    Health(std::net::SocketAddr, #[source] std::io::Error),
    /// The leader lease cannot be had or was lost.
    #[error(transparent)]
    Lease(#[from] lease::Error),
}

/// Runs until `shutdown`.
///
/// # Errors
/// When the cluster lacks CRDs or permissions, the health port is taken, or the leader lease is lost.
pub async fn run(client: Client, options: Options, shutdown: CancellationToken) -> Result<(), Error> {
    let Options { namespace, concurrency, trust_changed_by, resource_quotas, lease, process } = options;
    let ProcessArgs { health_address, instance, log: _, log_format: _ } = process;
    let needs = preflight::check(&client, preflight::CONTROLLER, namespace.as_deref());
    let Some(met) = shutdown.run_until_cancelled(needs).await else { return Ok(()) };
    met?;

    let metrics = Metrics::default();
    let (world, writers) = World::new();
    let (senders, queued) = queues();
    let gauges = (world.clone(), metrics.clone());
    let health = Health::new(move || {
        let (world, metrics) = &gauges;
        count(world, metrics);
        metrics.text()
    });
    let endpoints = health.clone().serve(health_address);
    let feed = follow(client.clone(), namespace, world.clone(), writers, senders);

    let source = Source { controller: "iam.keyward.dev/controller", instance: instance.clone() };
    let audit = Audit::new(client.clone(), source, metrics.clone());
    let observer =
        Observer { client: client.clone(), world: world.clone(), trust_changed_by, resource_quotas };
    let actor = Actor { client: client.clone(), observer, audit, metrics: metrics.clone() };
    let work = async {
        tokio::select! {
            () = wait_until_listed(&world) => {}
            () = shutdown.cancelled() => return Ok(()),
        }
        health.set_ready(true);
        tracing::info!("the first list of every kind has arrived");
        lead(
            client,
            &lease,
            instance,
            &metrics,
            &shutdown,
            Box::pin(loops(actor, &world, queued, concurrency, &shutdown)),
        )
        .await
    };
    tokio::select! {
        () = feed => Ok(()),
        ended = endpoints => ended.map_err(|error| Error::Health(health_address, error)),
        ended = work => ended,
    }
}

async fn wait_until_listed(world: &World) {
    let World {
        accounts,
        service_accounts,
        access_keys,
        grants,
        secrets,
        roles,
        bindings,
        quotas,
        relations: _,
    } = world;
    let (accounts, service_accounts) = (accounts.reader(), service_accounts.reader());
    let (access_keys, grants, secrets) = (access_keys.reader(), grants.reader(), secrets.reader());
    let (roles, bindings, quotas) = (roles.reader(), bindings.reader(), quotas.reader());
    // A store is only dropped with the feed, which runs as long as this does.
    let _ = futures::join!(
        accounts.wait_until_ready(),
        service_accounts.wait_until_ready(),
        access_keys.wait_until_ready(),
        grants.wait_until_ready(),
        secrets.wait_until_ready(),
        roles.wait_until_ready(),
        bindings.wait_until_ready(),
        quotas.wait_until_ready(),
    );
}

/// Runs `work` while this process leads.
async fn lead(
    client: Client,
    args: &LeaseArgs,
    instance: String,
    metrics: &Metrics,
    shutdown: &CancellationToken,
    work: impl Future<Output = ()>,
) -> Result<(), Error> {
    if !args.leader_elect {
        metrics.leads(true);
        work.await;
        return Ok(());
    }
    let leadership = Leadership::new(client, args, instance).await?;
    if !leadership.acquire(shutdown).await? {
        return Ok(());
    }
    tracing::info!("leading");
    metrics.leads(true);
    tokio::select! {
        lost = leadership.keep() => Ok(lost?),
        // It ends at shutdown, once every pass under way is over.
        () = work => Ok(leadership.release().await?),
    }
}

async fn loops(actor: Actor, world: &World, queued: Queued, concurrency: u16, shutdown: &CancellationToken) {
    let Streams { accounts, service_accounts, keys, grants, orphans } = queued.streams();
    let actor = Arc::new(actor);
    let looped = Looped { concurrency, shutdown, actor: &actor };
    futures::join!(
        looped.each("Account", &world.accounts, accounts, |actor, object: Arc<Account>| async move {
            account::pass(&actor, &object).await
        }),
        looped.each(
            "ServiceAccount",
            &world.service_accounts,
            service_accounts,
            |actor, object: Arc<ServiceAccount>| async move { service_account::pass(&actor, &object).await }
        ),
        looped.each("AccessKey", &world.access_keys, keys, |actor, object: Arc<AccessKey>| async move {
            access_key::pass(&actor, &object).await
        }),
        looped.each("ResourceGrant", &world.grants, grants, |actor, object: Arc<ResourceGrant>| async move {
            resource_grant::pass(&actor, &object).await
        }),
        looped.each("Secret", &world.secrets, orphans, |actor, object: Arc<SecretMeta>| async move {
            orphan::pass(&actor, &object).await
        }),
    );
}

/// What the loops of all kinds have in common.
struct Looped<'a> {
    concurrency: u16,
    shutdown: &'a CancellationToken,
    actor: &'a Arc<Actor>,
}

struct Loop<K: Resource<DynamicType = ()> + 'static> {
    kind: &'static str,
    store: Store<K>,
    actor: Arc<Actor>,
    backoff: Backoff<K>,
}

impl Looped<'_> {
    /// Passes over each object that `queue` names, never two at once over the same one.
    async fn each<K, F>(
        &self,
        kind: &'static str,
        store: &Store<K>,
        queue: impl Stream<Item = ObjectRef<K>> + Send + 'static,
        pass: impl Fn(Arc<Actor>, Arc<K>) -> F + Clone + Send + Sync + 'static,
    ) where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
        F: Future<Output = Result<Option<DateTime<Utc>>, PassError>> + Send + 'static,
    {
        let Self { concurrency, shutdown, actor } = self;
        let (store, actor) = (store.clone(), Arc::clone(actor));
        let reader = store.reader();
        let context = Arc::new(Loop { kind, store, actor, backoff: Backoff::default() });
        let reconcile = move |seen: Arc<K>, context: Arc<Loop<K>>| {
            let pass = pass.clone();
            async move { timed(&context, &seen, pass).await }
        };
        Controller::for_stream(stream::pending(), reader)
            .reconcile_on(queue)
            .with_config(Config::default().concurrency(*concurrency))
            .graceful_shutdown_on((*shutdown).clone().cancelled_owned())
            .run(reconcile, failed, context)
            // A queued object that is gone meanwhile, or a failure that is reported already.
            .for_each(|_| std::future::ready(()))
            .await;
    }
}

async fn timed<K, F>(
    context: &Loop<K>,
    seen: &Arc<K>,
    pass: impl Fn(Arc<Actor>, Arc<K>) -> F,
) -> Result<Requeue, PassError>
where
    K: Resource<DynamicType = ()> + Clone + Debug + 'static,
    F: Future<Output = Result<Option<DateTime<Utc>>, PassError>>,
{
    let started = Instant::now();
    let object_ref = ObjectRef::from_obj(seen.as_ref());
    let object = context.store.get(&object_ref).unwrap_or_else(|| Arc::clone(seen));
    let look_again_at = pass(Arc::clone(&context.actor), object).await?;
    context.actor.metrics.reconciled(context.kind, started.elapsed());
    context.backoff.succeeded(&object_ref);
    Ok(look_again_at.map_or_else(Requeue::await_change, |at| Requeue::requeue(until(at))))
}

/// How long until `at`, as the wall clock goes.
fn until(at: DateTime<Utc>) -> Duration {
    (at - now()).to_std().unwrap_or_default().min(LONGEST_WAIT)
}

#[allow(clippy::needless_pass_by_value, reason = "the signature that kube calls")]
fn failed<K>(object: Arc<K>, error: &PassError, context: Arc<Loop<K>>) -> Requeue
where
    K: Resource<DynamicType = ()> + 'static,
{
    let kind = context.kind;
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    context.actor.metrics.failed(kind, error.reason());
    // The object or its namespace is going; a change will say so if it stays.
    if matches!(error.reason(), "NotFound" | "NamespaceTerminating") {
        tracing::debug!(kind, namespace, name, %error, "the object is going away");
        return Requeue::await_change();
    }
    let (wait, failures) = context.backoff.failed(ObjectRef::from_obj(object.as_ref()));
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
    Requeue::requeue(wait)
}
