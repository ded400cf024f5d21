//! One pass over a service account: observe, plan, act.

use chrono::{DateTime, Utc};

use crate::api::ServiceAccount;
use crate::controller::apply::actor::{Actor, Error};
use crate::domain::service_account::{Plan, plan};
use crate::runtime::clock::now;

/// Returns when to look again, if nothing happens before.
pub(in crate::controller) async fn pass(
    actor: &Actor,
    object: &ServiceAccount,
) -> Result<Option<DateTime<Utc>>, Error> {
    let observed = actor.observer.service_account(object, now()).await?;
    let Plan { actions, look_again_at } = plan(&observed, now());
    for action in actions {
        actor.service_account(object, action).await?;
    }
    Ok(look_again_at)
}
