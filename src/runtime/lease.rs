//! The leader lease: a kept library takes and renews it, and a watch over it sees to it that this process
//! stops acting before the lease runs out, also when the API server does not answer. No limit depends on it.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};
use kube_lease_manager::{LeaseManager, LeaseManagerBuilder};
use tokio_util::sync::CancellationToken;

use super::client::{CallError, bounded};
use super::config::LeaseArgs;

/// Why the lease cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The library that handles it gave up.
    #[error("the leader lease")]
    Manager(#[from] kube_lease_manager::LeaseManagerError),
    /// It was held and is no longer.
    #[error("the leader lease was lost: {0}; stopping, so that the next leader works alone")]
    Lost(&'static str),
}

/// A lease that this process may hold.
pub struct Leadership {
    manager: LeaseManager,
    leases: Api<Lease>,
    name: String,
    identity: String,
    duration: Duration,
}

impl Leadership {
    /// Prepares the lease that `args` names; nothing is taken yet.
    ///
    /// # Errors
    /// When the Lease can neither be read nor created.
    pub async fn new(client: Client, args: &LeaseArgs, identity: String) -> Result<Self, Error> {
        let namespace = args.lease_namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned());
        let manager = LeaseManagerBuilder::new(client.clone(), &args.lease_name)
            .with_namespace(&namespace)
            .with_identity(&identity)
            .with_duration(args.lease_seconds)
            .with_grace(args.lease_seconds / 2)
            .with_field_manager("keyward-lease")
            .build()
            .await?;
        let leases = Api::namespaced(client, &namespace);
        Ok(Self { manager, leases, name: args.lease_name.clone(), identity, duration: args.duration() })
    }

    /// Waits until this process leads; `false` where `shutdown` came first.
    ///
    /// # Errors
    /// Never for a passing fault: those are logged, and the next attempt follows.
    pub async fn acquire(&self, shutdown: &CancellationToken) -> Result<bool, Error> {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(false),
                changed = self.manager.changed() => match changed {
                    Ok(true) => return Ok(true),
                    Ok(false) => {}
                    Err(error) => {
                        tracing::warn!(%error, "the leader lease cannot be read or taken; trying again");
                        tokio::time::sleep(self.duration / 6).await;
                    }
                },
            }
        }
    }

    /// Keeps the lease, for as long as it can be kept.
    ///
    /// # Errors
    /// [`Error::Lost`] as soon as another process holds it, and before it runs out where it could not be
    /// renewed. It returns in no other way.
    pub async fn keep(&self) -> Result<(), Error> {
        let reason = tokio::select! {
            () = self.renew() => "another process took it",
            reason = self.watch() => reason,
        };
        Err(Error::Lost(reason))
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// When the Lease cannot be written; it then runs out by itself.
    pub async fn release(&self) -> Result<(), Error> {
        Ok(self.manager.release().await?)
    }

    /// Renews until the library says that the lease is someone else's. A failed renewal is tried again;
    /// whether the lease still holds meanwhile is for [`Self::watch`] to tell.
    async fn renew(&self) {
        loop {
            match self.manager.changed().await {
                Ok(false) => return,
                Ok(true) => {}
                Err(error) => {
                    tracing::warn!(%error, "the leader lease could not be renewed; trying again");
                    tokio::time::sleep(self.duration / 12).await;
                }
            }
        }
    }

    /// Returns once the lease is not this process's, or has not been seen renewed for so long that it may run
    /// out.
    async fn watch(&self) -> &'static str {
        let mut validity = Validity::new(Instant::now(), self.duration);
        loop {
            let look = async {
                tokio::time::sleep(self.duration / 12).await;
                (Instant::now(), self.read().await)
            };
            // Whatever the API server does, a look ends with the lease.
            let (asked, found) = tokio::select! {
                () = tokio::time::sleep_until(validity.end().into()) => return "it was not renewed in time",
                found = look => found,
            };
            match found {
                Ok((holder, _)) if holder.as_deref() != Some(self.identity.as_str()) => {
                    return "another process holds it";
                }
                Ok((_, renewed)) => validity.observe(asked, renewed),
                Err(error) => tracing::warn!(%error, "the leader lease cannot be read"),
            }
        }
    }

    async fn read(&self) -> Result<(Option<String>, Option<String>), CallError> {
        let lease = bounded("read lease", self.leases.get(&self.name)).await?;
        let spec = lease.spec.unwrap_or_default();
        Ok((spec.holder_identity, spec.renew_time.map(|time| time.0.to_string())))
    }
}

/// Until when a lease surely holds, by this process's own steady clock. A renewal that is first seen now took
/// place after the look before, so the lease lasts at least its duration from that look.
#[derive(Debug)]
struct Validity {
    duration: Duration,
    last_look: Instant,
    holds_from: Instant,
    renewed: Option<String>,
}

impl Validity {
    fn new(taken: Instant, duration: Duration) -> Self {
        Self { duration, last_look: taken, holds_from: taken, renewed: None }
    }

    fn observe(&mut self, asked: Instant, renewed: Option<String>) {
        if self.renewed.is_some() && self.renewed != renewed {
            self.holds_from = self.last_look;
        }
        self.renewed = renewed;
        self.last_look = asked;
    }

    /// A sixth of the duration before it may run out, so that calls under way end in time.
    fn end(&self) -> Instant {
        self.holds_from + self.duration * 5 / 6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_that_is_seen_renewed_goes_on_and_one_that_is_not_ends_before_it_runs_out() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut validity = Validity::new(start, Duration::from_secs(12));
        validity.observe(at(1), Some("a".into()));
        validity.observe(at(5), Some("a".into()));
        assert_eq!(validity.end(), at(10), "not renewed since it was taken");
        validity.observe(at(9), Some("b".into()));
        assert_eq!(validity.end(), at(15), "renewed at some time after the look at second 5");
    }
}
