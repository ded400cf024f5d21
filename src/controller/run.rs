//! Wires the controller together and runs it: the feed, the lease, and one loop for each kind.

use kube::Client;
use tokio_util::sync::CancellationToken;

use crate::controller::apply::Applier;
use crate::controller::certificate::keeper::Certificates;
use crate::controller::metrics::count;
use crate::controller::observe::Observer;
use crate::controller::reconcile::loops::{Context, reconcile_all};
use crate::controller::sealing::{self, Keeper};
use crate::controller::secrets::Secrets;
use crate::controller::watch::feed::follow;
use crate::controller::watch::queue::queues;
use crate::controller::watch::store::World;
use crate::domain::object::Stamps;
use crate::runtime::audit::{Audit, Source};
use crate::runtime::clock::Clock;
use crate::runtime::config::{ControllerArgs, LeaseArgs, ProcessArgs};
use crate::runtime::health::Health;
use crate::runtime::lease::{self, Leadership};
use crate::runtime::metrics::Metrics;
use crate::runtime::preflight;
use crate::runtime::random::Random;
use crate::runtime::spawner::Spawner;

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
    /// Nothing can be sealed.
    #[error(transparent)]
    Sealing(#[from] sealing::Error),
    /// The leader lease cannot be had or was lost.
    #[error(transparent)]
    Lease(#[from] lease::Error),
}

/// Runs until `shutdown`.
///
/// # Errors
/// When the cluster lacks CRDs or permissions, the health port is taken, or the leader lease is lost.
pub async fn run(client: Client, options: Options, shutdown: CancellationToken) -> Result<(), Error> {
    let Options {
        namespace,
        concurrency,
        trust_changed_by,
        resource_quotas,
        sealing_namespace,
        verifier_certificate_names,
        lease,
        process,
    } = options;
    let ProcessArgs { health_address, instance, log: _, log_format: _ } = process;
    let sealing_namespace = sealing_namespace.unwrap_or_else(|| client.default_namespace().to_owned());
    let needs = async {
        preflight::check(&client, preflight::CONTROLLER, namespace.as_deref()).await?;
        preflight::check(&client, preflight::SEALING, Some(&sealing_namespace)).await?;
        if verifier_certificate_names.is_empty() {
            return Ok(());
        }
        preflight::check(&client, preflight::CERTIFICATE, Some(&sealing_namespace)).await
    };
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
    let endpoints = health.clone().serve(health_address, Spawner::default());
    let stamps = if trust_changed_by { Stamps::Trusted } else { Stamps::Ignored };
    let feed = follow(client.clone(), namespace, world.clone(), writers, senders, stamps);

    let source = Source { controller: "iam.keyward.dev/controller", instance: instance.clone() };
    let audit = Audit::new(client.clone(), source, metrics.clone());
    let secrets = Secrets::new(client.clone());
    let (clock, random) = (Clock::System, Random::System);
    let keeper = Keeper::new(&client, &sealing_namespace, clock.clone(), random.clone());
    let certificates =
        Certificates::new(&client, &sealing_namespace, verifier_certificate_names.clone(), clock.clone());
    let lead_work = async {
        // Read by each leader anew: another one may have drawn a key meanwhile.
        let sealing = keeper.open_at_last(&world).await?;
        let observer = Observer {
            client: client.clone(),
            secrets: secrets.clone(),
            world: world.clone(),
            stamps,
            sealing: sealing.clone(),
            resource_quotas,
        };
        let applier = Applier {
            client: client.clone(),
            secrets,
            audit,
            metrics: metrics.clone(),
            random: random.clone(),
            sealing: sealing.clone(),
        };
        let context = Context { observer, applier, metrics: metrics.clone(), clock, random, concurrency };
        tokio::select! {
            () = reconcile_all(context, queued, &shutdown) => Ok(()),
            () = keeper.adopt(&sealing, &world) => Ok(()),
            () = certificates.keep() => Ok(()),
        }
    };
    let work = async {
        tokio::select! {
            () = world.listed() => {}
            () = shutdown.cancelled() => return Ok(()),
        }
        health.set_ready(true);
        tracing::info!("the first list of every kind has arrived");
        lead(client.clone(), &lease, instance, &metrics, &shutdown, Box::pin(lead_work)).await
    };
    tokio::select! {
        () = feed => Ok(()),
        ended = endpoints => ended.map_err(|error| Error::Health(health_address, error)),
        ended = work => ended,
    }
}

/// Runs `work` while this process leads.
async fn lead(
    client: Client,
    args: &LeaseArgs,
    instance: String,
    metrics: &Metrics,
    shutdown: &CancellationToken,
    work: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    if !args.leader_elect {
        metrics.leads(true);
        return work.await;
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
        ended = work => {
            // After a failure the lease runs out: the API server may not answer.
            ended?;
            Ok(leadership.release().await?)
        }
    }
}
