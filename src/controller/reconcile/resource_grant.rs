//! Resource grants: observe, plan, apply, fold.

use chrono::{DateTime, Utc};

use crate::api::{Kind, ResourceGrant};
use crate::controller::error::Error;
use crate::controller::reconcile::driver::{Driver, Next, Reconcile};
use crate::domain::resource_grant::{Action, Observed, Plan, plan};

impl Reconcile for Driver<ResourceGrant> {
    type Object = ResourceGrant;
    type Observed = Observed;
    type Action = Action;
    /// The grant with its new status.
    type Done = ResourceGrant;

    const KIND: Kind = Kind::ResourceGrant;

    async fn observe(&self, object: &ResourceGrant) -> Result<Observed, Error> {
        Ok(self.observer.resource_grant(object))
    }

    fn plan(&self, observed: &Observed, now: DateTime<Utc>) -> Plan {
        plan(observed, now)
    }

    async fn apply(
        &self,
        object: &ResourceGrant,
        _observed: &Observed,
        action: Action,
        done: &mut Vec<ResourceGrant>,
    ) -> Result<(), Error> {
        done.push(self.applier.resource_grant(object, action).await?);
        Ok(())
    }

    async fn fold(&self, _observed: &mut Observed, done: Vec<ResourceGrant>) -> Result<Next, Error> {
        for written in done {
            self.observer.world.grants.wrote(written);
        }
        Ok(Next::Done)
    }
}
