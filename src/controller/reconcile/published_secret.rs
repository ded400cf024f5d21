//! Secrets that were published into another namespace than their key's. No owner reference reaches there, so
//! nothing but this takes them away once the key is gone.

use chrono::{DateTime, Utc};

use crate::api::Kind;
use crate::controller::error::Error;
use crate::controller::reconcile::driver::{Driver, Next, Reconcile};
use crate::controller::watch::store::SecretMeta;
use crate::domain::access_key::publish::orphan::{Action, Observed, Plan, plan};

impl Reconcile for Driver<SecretMeta> {
    type Object = SecretMeta;
    type Observed = Observed;
    type Action = Action;
    type Done = ();

    const KIND: Kind = Kind::Secret;

    async fn observe(&self, secret: &SecretMeta) -> Result<Observed, Error> {
        Ok(self.observer.published_secret(secret).await?)
    }

    fn plan(&self, observed: &Observed, _now: DateTime<Utc>) -> Plan {
        plan(observed)
    }

    async fn apply(
        &self,
        secret: &SecretMeta,
        _observed: &Observed,
        action: Action,
        done: &mut Vec<()>,
    ) -> Result<(), Error> {
        done.push(self.applier.published_secret(secret, action).await?);
        Ok(())
    }

    async fn fold(&self, _observed: &mut Observed, _done: Vec<()>) -> Result<Next, Error> {
        Ok(Next::Done)
    }
}
