//! One pass over an account: observe, plan, act.

use chrono::{DateTime, Utc};

use crate::api::Account;
use crate::controller::apply::actor::{Actor, Error};
use crate::domain::account::{Plan, plan};
use crate::runtime::clock::now;

/// Returns when to look again, if nothing happens before: the snapshot and the quota may have to wait.
pub(in crate::controller) async fn pass(
    actor: &Actor,
    object: &Account,
) -> Result<Option<DateTime<Utc>>, Error> {
    let observed = actor.observer.account(object).await?;
    let Plan { actions, look_again_at } = plan(&observed, now());
    for action in actions {
        actor.account(object, action).await?;
    }
    Ok(look_again_at)
}
