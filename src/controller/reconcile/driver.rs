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

/// What was done, in its order, and what failed first.
struct Outcome<Done> {
    done: Vec<Done>,
    failed: Option<Error>,
}

/// Steps that build on each other: where one fails, those of its chain after it are left out, and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::controller) enum Chain {
    /// What is recorded of the object, and what must be recorded before it is done.
    Record,
    /// What RBAC allows the object's admins.
    Rights,
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

    /// The chain that a step is part of; `None` where it waits for no other, and no other for it.
    fn chain(action: &Self::Action) -> Option<Chain>;

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

/// Takes the steps of a plan one after the other. One that fails keeps back only what builds on it: what
/// takes rights away is done even where its report cannot be written, and the other way round.
async fn carry_out<R: Reconcile>(
    driver: &R,
    object: &R::Object,
    observed: &R::Observed,
    actions: Vec<R::Action>,
) -> Outcome<R::Done> {
    let (mut done, mut failed) = (Vec::with_capacity(actions.len()), None);
    let mut broken: Vec<Chain> = Vec::new();
    for action in actions {
        let chain = R::chain(&action);
        if chain.is_some_and(|chain| broken.contains(&chain)) {
            continue;
        }
        if let Err(error) = driver.apply(object, observed, action, &mut done).await {
            broken.extend(chain);
            failed.get_or_insert(error);
        }
    }
    Outcome { done, failed }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use parking_lot::Mutex;

    use super::*;

    /// Steps by their name; those that end in `!` fail.
    #[derive(Default)]
    struct Named(Mutex<Vec<String>>);

    impl Reconcile for Named {
        type Object = ConfigMap;
        type Observed = ();
        type Action = (Option<Chain>, &'static str);
        type Done = ();

        const KIND: Kind = Kind::Secret;

        async fn observe(&self, _object: &ConfigMap) -> Result<(), Error> {
            Ok(())
        }

        fn chain(action: &Self::Action) -> Option<Chain> {
            action.0
        }

        fn plan(&self, _observed: &(), _now: DateTime<Utc>) -> Plan<Self::Action> {
            Plan::default()
        }

        async fn apply(
            &self,
            _object: &ConfigMap,
            _observed: &(),
            (_, name): Self::Action,
            done: &mut Vec<()>,
        ) -> Result<(), Error> {
            self.0.lock().push(name.to_owned());
            if name.ends_with('!') {
                return Err(Error::SecretChanged);
            }
            done.push(());
            Ok(())
        }

        async fn fold(&self, _observed: &mut (), _done: Vec<()>) -> Result<Next, Error> {
            Ok(Next::Done)
        }
    }

    #[tokio::test]
    async fn a_step_that_fails_keeps_back_what_builds_on_it_and_nothing_else() {
        const RECORD: Option<Chain> = Some(Chain::Record);
        const RIGHTS: Option<Chain> = Some(Chain::Rights);
        for (steps, taken, fails) in [
            (vec![(RECORD, "audit"), (RECORD, "status")], vec!["audit", "status"], false),
            (
                vec![(RECORD, "status!"), (RECORD, "publish"), (None, "unbind")],
                vec!["status!", "unbind"],
                true,
            ),
            (
                vec![(None, "unbind!"), (RECORD, "status"), (None, "quota")],
                vec!["unbind!", "status", "quota"],
                true,
            ),
            (vec![(RIGHTS, "role!"), (RIGHTS, "bind"), (RECORD, "status")], vec!["role!", "status"], true),
        ] {
            let driver = Named::default();
            let outcome = carry_out(&driver, &ConfigMap::default(), &(), steps).await;
            assert_eq!(*driver.0.lock(), taken);
            assert_eq!(outcome.failed.is_some(), fails, "{taken:?}");
            assert_eq!(outcome.done.len(), taken.iter().filter(|name| !name.ends_with('!')).count());
        }
    }
}
