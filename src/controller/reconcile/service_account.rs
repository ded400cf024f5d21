//! Service accounts: observe, plan, apply, fold.

use chrono::{DateTime, Utc};

use crate::api::{Kind, ServiceAccount};
use crate::controller::apply::service_account::Done;
use crate::controller::error::Error;
use crate::controller::reconcile::driver::{Chain, Driver, Next, Reconcile};
use crate::domain::service_account::{Action, Observed, Plan, plan};

impl Reconcile for Driver<ServiceAccount> {
    type Object = ServiceAccount;
    type Observed = Observed;
    type Action = Action;
    type Done = Done;

    const KIND: Kind = Kind::ServiceAccount;

    async fn observe(&self, object: &ServiceAccount) -> Result<Observed, Error> {
        Ok(self.observer.service_account(object).await?)
    }

    fn chain(action: &Action) -> Option<Chain> {
        match action {
            Action::CreateAccount | Action::Audit(_) | Action::WriteStatus(_) => Some(Chain::Record),
            Action::Role(_) | Action::Binding(_) => Some(Chain::Rights),
        }
    }

    fn plan(&self, observed: &Observed, now: DateTime<Utc>) -> Plan {
        plan(observed, now)
    }

    async fn apply(
        &self,
        object: &ServiceAccount,
        _observed: &Observed,
        action: Action,
        done: &mut Vec<Done>,
    ) -> Result<(), Error> {
        done.push(self.applier.service_account(object, action).await?);
        Ok(())
    }

    async fn fold(&self, _observed: &mut Observed, done: Vec<Done>) -> Result<Next, Error> {
        let world = &self.observer.world;
        for done in done {
            match done {
                Done::Recorded | Done::AccountCreated => {}
                Done::Status(written) => drop(world.service_accounts.wrote(*written)),
                Done::Role(change) => world.roles.changed(change),
                Done::Binding(change) => world.bindings.changed(change),
            }
        }
        Ok(Next::Done)
    }
}
