//! Accounts: observe, plan, apply, fold.

use chrono::{DateTime, Utc};

use crate::api::{Account, Kind};
use crate::controller::apply::account::Done;
use crate::controller::error::Error;
use crate::controller::reconcile::driver::{Driver, Next, Reconcile};
use crate::domain::account::{Action, Observed, Plan, plan};
use crate::domain::refused::{Failed, Step};

impl Reconcile for Driver<Account> {
    type Object = Account;
    type Observed = Observed;
    type Action = Action;
    type Done = Done;

    const KIND: Kind = Kind::Account;

    async fn observe(&self, object: &Account) -> Result<Observed, Error> {
        Ok(self.observer.account(object).await?)
    }

    fn plan(&self, observed: &Observed, now: DateTime<Utc>) -> Plan {
        plan(observed, now)
    }

    fn step(action: &Action) -> Option<Step> {
        action.step()
    }

    fn failed(observed: &mut Observed) -> Option<&mut Failed> {
        Some(&mut observed.failed)
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
