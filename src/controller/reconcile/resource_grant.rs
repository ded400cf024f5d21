//! One pass over a resource grant: observe, plan, act.

use chrono::{DateTime, Utc};

use crate::api::ResourceGrant;
use crate::controller::apply::actor::{Actor, Error};
use crate::domain::resource_grant::plan;
use crate::runtime::clock::now;

/// Returns when to look again, if nothing happens before: never, for time alone changes no grant.
pub(in crate::controller) async fn pass(
    actor: &Actor,
    object: &ResourceGrant,
) -> Result<Option<DateTime<Utc>>, Error> {
    if let Some(status) = plan(&actor.observer.resource_grant(object), now()) {
        actor.resource_grant(object, status).await?;
    }
    Ok(None)
}
