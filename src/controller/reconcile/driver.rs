//! The one loop that every kind goes through: observe, plan, apply, and fold what was done into what was
//! observed. It decides nothing and writes nothing itself.

use std::fmt::Debug;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use kube::Resource;
use serde::de::DeserializeOwned;

use crate::api::Kind;
use crate::controller::apply::Applier;
use crate::controller::error::Error;
use crate::controller::observe::Observer;
use crate::domain::plan::Plan;
use crate::runtime::clock::Clock;

/// More rounds than any plan needs: mint, write the status, repair, publish, write the status.
const ROUNDS: usize = 6;

/// Whether a pass is over once a plan is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::controller) enum Next {
    /// It is.
    Done,
    /// What was written has to be decided on again: a status is only ever computed from what was found.
    PlanAgain,
}

/// What was done, in its order, and what ended it early.
struct Outcome<Done> {
    done: Vec<Done>,
    failed: Option<Error>,
}

/// Reconciles objects of type `K`: what it reads and writes with. How it does is its [`Reconcile`].
pub(in crate::controller) struct Driver<K> {
    pub(super) observer: Observer,
    pub(super) applier: Applier,
    kind: PhantomData<fn() -> K>,
}

impl<K> Driver<K> {
    /// Reads with `observer` and writes with `applier`.
    pub(super) fn new(observer: &Observer, applier: &Applier) -> Self {
        Self { observer: observer.clone(), applier: applier.clone(), kind: PhantomData }
    }
}

/// How objects of one kind are reconciled.
pub(in crate::controller) trait Reconcile: Send + Sync + 'static {
    /// The kind's type.
    type Object: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static;
    /// What a decision about one reads.
    type Observed: Send + Sync;
    /// One step of a plan.
    type Action: Send;
    /// One thing that was done.
    type Done: Send;

    /// The kind, as metrics and log lines name it.
    const KIND: Kind;

    /// Reads what the decision needs.
    fn observe(&self, object: &Self::Object) -> impl Future<Output = Result<Self::Observed, Error>> + Send;

    /// Decides.
    fn plan(&self, observed: &Self::Observed, now: DateTime<Utc>) -> Plan<Self::Action>;

    /// Carries out one step. What it did is in `done` also where it then fails.
    fn apply(
        &self,
        object: &Self::Object,
        observed: &Self::Observed,
        action: Self::Action,
        done: &mut Vec<Self::Done>,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Brings what was observed up to date with what was done.
    fn fold(
        &self,
        observed: &mut Self::Observed,
        done: Vec<Self::Done>,
    ) -> impl Future<Output = Result<Next, Error>> + Send;
}

/// One pass over an object. Returns when to look again, if nothing happens before.
pub(in crate::controller) async fn pass<R: Reconcile>(
    driver: &R,
    object: &R::Object,
    clock: &Clock,
) -> Result<Option<DateTime<Utc>>, Error> {
    let mut observed = driver.observe(object).await?;
    for _ in 0..ROUNDS {
        let Plan { actions, look_again_at } = driver.plan(&observed, clock.now());
        let Outcome { done, failed } = carry_out(driver, object, &observed, actions).await;
        let next = driver.fold(&mut observed, done).await;
        if let Some(error) = failed {
            return Err(error);
        }
        if next? == Next::Done {
            return Ok(look_again_at);
        }
    }
    Err(Error::SecretChanged)
}

/// Takes the steps of a plan one after the other, up to the first that fails.
async fn carry_out<R: Reconcile>(
    driver: &R,
    object: &R::Object,
    observed: &R::Observed,
    actions: Vec<R::Action>,
) -> Outcome<R::Done> {
    let mut done = Vec::with_capacity(actions.len());
    for action in actions {
        if let Err(error) = driver.apply(object, observed, action, &mut done).await {
            return Outcome { done, failed: Some(error) };
        }
    }
    Outcome { done, failed: None }
}
