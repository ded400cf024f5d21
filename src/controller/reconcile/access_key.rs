//! Access keys: observe, plan, apply, fold; again where a Secret was written, so that the status is always
//! computed from what the Secret holds.

use chrono::{DateTime, Utc};

use crate::api::{AccessKey, Kind};
use crate::controller::apply::access_key::Done;
use crate::controller::error::Error;
use crate::controller::observe::Observer;
use crate::controller::reconcile::driver::{Chain, Driver, Next, Reconcile};
use crate::domain::access_key::{Action, Observed, Plan, plan};

impl Reconcile for Driver<AccessKey> {
    type Object = AccessKey;
    type Observed = Observed;
    type Action = Action;
    type Done = Done;

    const KIND: Kind = Kind::AccessKey;

    async fn observe(&self, object: &AccessKey) -> Result<Observed, Error> {
        Ok(self.observer.access_key(object).await?)
    }

    fn chain(action: &Action) -> Option<Chain> {
        // What gateways hold of a key that is not good any more goes, also where that cannot be recorded.
        (*action != Action::Unpublish).then_some(Chain::Record)
    }

    fn plan(&self, observed: &Observed, now: DateTime<Utc>) -> Plan {
        plan(observed, now)
    }

    async fn apply(
        &self,
        object: &AccessKey,
        observed: &Observed,
        action: Action,
        done: &mut Vec<Done>,
    ) -> Result<(), Error> {
        self.applier.access_key(object, observed, action, done).await
    }

    async fn fold(&self, observed: &mut Observed, done: Vec<Done>) -> Result<Next, Error> {
        let Observer { world, sealing, .. } = &self.observer;
        let mut next = Next::Done;
        for done in done {
            if done.changes_secrets() {
                next = Next::PlanAgain;
            }
            match done {
                Done::Recorded | Done::KeyDeleted => {}
                Done::Status(written) => {
                    let written = world.access_keys.wrote(*written);
                    observed.key = self.observer.key(&written, &sealing.trust());
                }
                Done::Secret { metadata, view } => {
                    world.secrets.wrote(*metadata);
                    observed.secret = view;
                }
                Done::SecretTaken | Done::LeftBehindDeleted => {
                    self.observer.look_for_secret(observed).await?;
                }
                Done::Published { published, changes } => {
                    for change in changes {
                        world.secrets.changed(change);
                    }
                    observed.published = published;
                }
            }
        }
        Ok(next)
    }
}
