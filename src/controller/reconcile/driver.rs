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
use crate::domain::refused::{Failed, Step};
use crate::runtime::clock::Clock;

/// More rounds than any plan needs: mint, write the status, repair, publish, write the status; and one for
/// each step that fails.
const ROUNDS: usize = 9;

/// Whether a pass is over once a plan is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::controller) enum Next {
    /// It is.
    Done,
    /// What was written has to be decided on again: a status is only ever computed from what was found.
    PlanAgain,
}

/// What was done, in its order, and what failed.
struct Outcome<Done> {
    done: Vec<Done>,
    failed: Vec<(Option<Step>, Error)>,
}

/// What a pass came to.
#[derive(Debug)]
pub(in crate::controller) struct Passed {
    /// When to look again, if nothing happens before.
    pub(in crate::controller) look_again_at: Option<DateTime<Utc>>,
    /// The first step that could not be carried out. All that did not need it was, and status says what holds
    /// without it.
    pub(in crate::controller) failed: Option<Error>,
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

    /// What a step writes, apart from the record of it.
    fn step(_action: &Self::Action) -> Option<Step> {
        None
    }

    /// Whether a step is taken also where one before it failed.
    fn stands_alone(_action: &Self::Action) -> bool {
        false
    }

    /// Where to note what fails; `None` for objects that have no status to say it in.
    fn failed(_observed: &mut Self::Observed) -> Option<&mut Failed> {
        None
    }

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

/// One pass over an object. A step that fails is left out of the plans that follow in it, so that every pass
/// ends with a status that is true.
///
/// # Errors
/// When what is there could not be read or recorded, or is not what was planned for.
pub(in crate::controller) async fn pass<R: Reconcile>(
    driver: &R,
    object: &R::Object,
    clock: &Clock,
) -> Result<Passed, Error> {
    let mut observed = driver.observe(object).await?;
    let mut first = None;
    for _ in 0..ROUNDS {
        let Plan { actions, look_again_at } = driver.plan(&observed, clock.now());
        let Outcome { done, failed } = carry_out(driver, object, &observed, actions).await;
        let next = driver.fold(&mut observed, done).await;
        let is_done = failed.is_empty();
        for (step, error) in failed {
            let noted = step.filter(|_| !error.outdates_the_plan()).zip(R::failed(&mut observed));
            let Some((step, failed)) = noted else {
                return Err(first.unwrap_or(error));
            };
            failed.note(step, error.refused(step));
            first.get_or_insert(error);
        }
        if next? == Next::Done && is_done {
            return Ok(Passed { look_again_at, failed: first });
        }
    }
    Err(Error::SecretChanged)
}

/// Takes the steps of a plan one after the other, up to the first that fails; and after it those that do not
/// need it.
async fn carry_out<R: Reconcile>(
    driver: &R,
    object: &R::Object,
    observed: &R::Observed,
    actions: Vec<R::Action>,
) -> Outcome<R::Done> {
    let (mut done, mut failed) = (Vec::with_capacity(actions.len()), Vec::new());
    for action in actions {
        if !failed.is_empty() && !R::stands_alone(&action) {
            continue;
        }
        let step = R::step(&action);
        if let Err(error) = driver.apply(object, observed, action, &mut done).await {
            failed.push((step, error));
        }
    }
    Outcome { done, failed }
}
