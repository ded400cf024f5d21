//! Accounts: observe, plan, apply, fold.

use chrono::{DateTime, Utc};

use crate::api::{Account, Kind};
use crate::controller::apply::account::Done;
use crate::controller::error::Error;
use crate::controller::reconcile::driver::{Chain, Driver, Next, Reconcile};
use crate::domain::account::{Action, Observed, Plan, plan};

impl Reconcile for Driver<Account> {
    type Object = Account;
    type Observed = Observed;
    type Action = Action;
    type Done = Done;

    const KIND: Kind = Kind::Account;

    async fn observe(&self, object: &Account) -> Result<Observed, Error> {
        Ok(self.observer.account(object).await?)
    }

    fn chain(action: &Action) -> Option<Chain> {
        match action {
            Action::Audit(_) | Action::WriteStatus(_) => Some(Chain::Record),
            Action::Binding(_) | Action::Quota(_) => None,
        }
    }

    fn plan(&self, observed: &Observed, now: DateTime<Utc>) -> Plan {
        plan(observed, now)
    }

    async fn apply(
        &self,
        object: &Account,
        _observed: &Observed,
        action: Action,
        done: &mut Vec<Done>,
    ) -> Result<(), Error> {
        done.push(self.applier.account(object, action).await?);
        Ok(())
    }

    async fn fold(&self, _observed: &mut Observed, done: Vec<Done>) -> Result<Next, Error> {
        let world = &self.observer.world;
        for done in done {
            match done {
                Done::Recorded => {}
                Done::Status(written) => drop(world.accounts.wrote(*written)),
                Done::Binding(change) => world.bindings.changed(change),
                Done::Quota(change) => world.quotas.changed(change),
            }
        }
        Ok(Next::Done)
    }
}
