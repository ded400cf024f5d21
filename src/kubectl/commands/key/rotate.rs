//! `kubectl keyward key rotate`: raises the revision by one, exactly once.

use chrono::{DateTime, Utc};
use clap::Args;
use kube::{Resource as _, ResourceExt as _};
use serde_json::{Value, json};

use crate::api::AccessKey;
use crate::api::access_key::PreviousTokenStatus;
use crate::api::shared::DesiredState;
use crate::domain::value::time::rfc3339;
use crate::kubectl::cluster::changes::ChangeArgs;
use crate::kubectl::cluster::client::Cluster;
use crate::kubectl::cluster::object::reference;
use crate::kubectl::cluster::wait::WaitArgs;
use crate::kubectl::commands::key::summary::token_summary;
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::kubectl::input::name::NameOf;
use crate::kubectl::output::hint::command_line;
use crate::kubectl::output::times;

/// How often it is tried while others write to the key's status.
const TRIES: usize = 10;
/// The highest revision, as in the kind's schema.
const HIGHEST: i64 = 1_000_000;

/// Flags of `key rotate`.
#[derive(Args, Clone, Debug)]
pub struct RotateArgs {
    /// The access key.
    #[arg(value_name = "NAME", add = NameOf::AccessKey)]
    name: String,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

/// The command.
pub async fn run(context: &Context, args: RotateArgs) -> Result<(), Error> {
    let RotateArgs { name, change, wait } = args;
    let cluster = context.globals.connect().await?;
    let key: AccessKey = cluster.get(&name).await?;
    let rotated = raise(&cluster, key, change).await?;
    let revision = rotated.spec.revision;
    change.show(&rotated, "rotated")?;
    if change.is_real() && wait.wait {
        let ready = wait.until(&cluster, &rotated, |key| issued(key) >= Some(revision)).await?;
        change.add(&format!("{}{}", token_summary(&ready, context.now), previous(&ready, context.now)))?;
    }
    Ok(())
}

/// Raises the revision of exactly the key that was read. What only changed in its status is read again.
async fn raise(cluster: &Cluster, mut key: AccessKey, change: ChangeArgs) -> Result<AccessKey, Error> {
    let from = key.spec.revision;
    for _ in 0..TRIES {
        match change.merge(cluster, &key, &step(&key, from)?).await {
            Err(error) if error.status().is_some_and(kube::core::Status::is_conflict) => {
                key = cluster.get(&key.name_any()).await?;
            }
            ended => return ended,
        }
    }
    Err(Error::Refused(format!("{} changes all the time; nothing was done, try again", reference(&key))))
}

/// What to merge into `key`, which had revision `from` when the user looked at it.
fn step(key: &AccessKey, from: i64) -> Result<Value, Error> {
    let refused = |why: String| Err(Error::Refused(format!("{} {why}", reference(key))));
    let revision = key.spec.revision;
    if key.spec.state == DesiredState::Inactive {
        let activate =
            command_line(&key.namespace().unwrap_or_default(), &format!("key activate {}", key.name_any()));
        return refused(format!(
            "is inactive, and gets no new token while it is; switch it on first: {activate}"
        ));
    }
    if revision != from {
        return refused(format!(
            "was rotated by someone else at the same moment: its revision went from {from} to {revision}; nothing was done"
        ));
    }
    if revision >= HIGHEST {
        return refused(format!("has revision {revision}, the highest there is; make another key instead"));
    }
    Ok(json!({
        "metadata": {"resourceVersion": key.meta().resource_version},
        "spec": {"revision": revision + 1},
    }))
}

fn issued(key: &AccessKey) -> Option<i64> {
    key.status.as_ref()?.token.as_ref().map(|token| token.revision)
}

/// Until when the token before this one is good.
fn previous(key: &AccessKey, now: DateTime<Utc>) -> String {
    let previous = key.status.as_ref().and_then(|status| status.previous_token.as_ref());
    match previous {
        Some(PreviousTokenStatus { token, valid_until }) => format!(
            "The previous one, {}, is good until {} ({}).\n",
            token.id,
            rfc3339(*valid_until),
            times::away(*valid_until, now)
        ),
        None => "The previous one is no longer good.\n".into(),
    }
}

#[cfg(test)]
mod tests {
    //! Which step is taken, and which is refused.

    use serde_json::json;

    use super::*;
    use crate::kubectl::samples::{issued, key, now};

    fn deploy(spec: Value) -> AccessKey {
        key("deploy", spec, json!({}))
    }

    #[test]
    fn the_revision_is_raised_by_one_in_exactly_the_version_that_was_read() {
        assert_eq!(
            step(&deploy(json!({"revision": 4})), 4).unwrap(),
            json!({"metadata": {"resourceVersion": "7"}, "spec": {"revision": 5}})
        );
    }

    #[test]
    fn what_cannot_be_rotated_is_refused_with_what_to_do() {
        for (spec, from, words) in [
            (
                json!({"state": "Inactive"}),
                1,
                "accesskey.iam.keyward.dev/deploy is inactive, and gets no new token while it is; switch it on first: \
             kubectl keyward -n shop key activate deploy",
            ),
            (
                json!({"revision": 3}),
                2,
                "accesskey.iam.keyward.dev/deploy was rotated by someone else at the same moment: its revision went from 2 to \
             3; nothing was done",
            ),
            (
                json!({"revision": 1_000_000}),
                1_000_000,
                "accesskey.iam.keyward.dev/deploy has revision 1000000, the highest there is; make another key instead",
            ),
        ] {
            assert_eq!(step(&deploy(spec), from).unwrap_err().to_string(), words);
        }
    }

    #[test]
    fn it_is_shown_until_when_the_token_before_it_is_good() {
        let mut status = issued("Active", "new", "2027-05-23T12:00:00Z");
        assert_eq!(
            previous(&key("deploy", json!({}), status.clone()), now()),
            "The previous one is no longer good.\n"
        );
        status["previousToken"] = json!({
            "id": "old", "sha256": "0", "revision": 1, "issuedAt": "2026-11-20T12:00:00Z",
            "expiresAt": "2026-12-23T12:00:00Z", "validUntil": "2026-11-30T12:00:00Z",
        });
        assert_eq!(
            previous(&key("deploy", json!({}), status), now()),
            "The previous one, old, is good until 2026-11-30T12:00:00Z (in 7d).\n"
        );
    }

    #[test]
    fn the_highest_revision_is_that_of_the_kind() {
        let schema = serde_json::to_value(schemars::schema_for!(crate::api::AccessKeySpec)).unwrap();
        assert_eq!(schema["properties"]["revision"]["maximum"], HIGHEST);
    }
}
