//! One pass over an access key: observe, plan, act; again where the Secret was written, so that the status is always
//! computed from what the Secret holds.

use chrono::{DateTime, Utc};

use crate::api::AccessKey;
use crate::controller::apply::actor::{Actor, Error};
use crate::domain::access_key::{Action, Plan, plan};
use crate::runtime::clock::now;

/// More rounds than any plan needs: mint, write the status, repair, publish, write the status.
const ROUNDS: usize = 6;

/// Returns when to look again, if nothing happens before.
pub(in crate::controller) async fn pass(
    actor: &Actor,
    object: &AccessKey,
) -> Result<Option<DateTime<Utc>>, Error> {
    let mut observed = actor.observer.access_key(object).await?;
    for _ in 0..ROUNDS {
        let Plan { actions, look_again_at } = plan(&observed, now());
        let again = actions.iter().any(writes_secrets);
        for action in actions {
            actor.access_key(object, &mut observed, action).await?;
        }
        if !again {
            return Ok(look_again_at);
        }
    }
    Err(Error::SecretChanged)
}

fn writes_secrets(action: &Action) -> bool {
    match action {
        Action::Issue(_)
        | Action::RepairSecret
        | Action::EmptySecret
        | Action::DeleteLeftBehind { .. }
        | Action::Publish
        | Action::Unpublish => true,
        Action::Audit(_) | Action::WriteStatus(_) | Action::DeleteKey => false,
    }
}
