//! Secrets that were published into another namespace than their key's. No owner reference reaches there, so nothing but
//! this takes them away once the key is gone.

use chrono::{DateTime, Utc};

use crate::controller::apply::actor::{Actor, Error};
use crate::controller::watch::store::SecretMeta;

/// Returns when to look again, if nothing happens before: never, for only a deleted key makes an orphan.
pub(in crate::controller) async fn pass(
    actor: &Actor,
    secret: &SecretMeta,
) -> Result<Option<DateTime<Utc>>, Error> {
    if actor.observer.is_orphan(secret).await? {
        actor.delete_orphan(secret).await?;
    }
    Ok(None)
}
