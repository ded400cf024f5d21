//! `kubectl keyward key rotate`: raises the revision by one, exactly once.

use chrono::{DateTime, Utc};
use clap::Args;
use kube::{Resource as _, ResourceExt as _};
use serde_json::{Value, json};

use crate::api::AccessKey;
use crate::api::access_key::{FIRST_REVISION, HIGHEST_REVISION, MOST_REVISIONS_AT_ONCE, PreviousTokenStatus};
use crate::api::shared::DesiredState;
use crate::domain::value::time::rfc3339;
use crate::kubectl::cluster::changes::ChangeArgs;
use crate::kubectl::cluster::client::Cluster;
use crate::kubectl::cluster::object::reference;
use crate::kubectl::cluster::wait::WaitArgs;
use crate::kubectl::commands::key::summary::{of_inactive, token_summary, waits_for_parent};
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::kubectl::input::name::NameOf;
use crate::kubectl::output::hint::command_line;
use crate::kubectl::output::times;

/// How often it is tried while others write to the key's status.
const TRIES: usize = 10;

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
    let revision = last(&rotated);
    change.show(&rotated, "rotated")?;
    if change.is_real() && wait.wait {
        let ready = wait.until(&cluster, &rotated, |key| issued(key) >= Some(revision)).await?;
        change.add(&format!("{}{}", token_summary(&ready, context.now), previous(&ready, context.now)))?;
    }
    Ok(())
}

/// Raises the revision of exactly the key that was read. What only changed in its status is read again.
async fn raise(cluster: &Cluster, mut key: AccessKey, change: ChangeArgs) -> Result<AccessKey, Error> {
    let from = last(&key);
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
    let revision = last(key);
    if key.spec.state == DesiredState::Inactive {
        let activate =
            command_line(&key.namespace().unwrap_or_default(), &format!("key activate {}", key.name_any()));
        return refused(format!(
            "is inactive, and gets no new token while it is; switch it on first: {activate}"
        ));
    }
    if waits_for_parent(key) {
        return refused(of_inactive(key));
    }
    if revision != from {
        return refused(format!(
            "was rotated by someone else at the same moment: its revision went from {from} to {revision}; nothing was done"
        ));
    }
    if revision >= HIGHEST_REVISION {
        return refused(format!("has revision {revision}, the highest there is; make another key instead"));
    }
    Ok(json!({
        "metadata": {"resourceVersion": key.meta().resource_version},
        "spec": {"revision": revision + 1},
    }))
}

/// The revision that was issued last, or is asked for and about to be. One that is behind what was issued, as
/// Git may have it after a rotation by hand, does not count.
fn last(key: &AccessKey) -> i64 {
    let asked = key.spec.revision.unwrap_or(FIRST_REVISION);
    issued(key).map_or(asked, |issued| match asked - issued {
        1..=MOST_REVISIONS_AT_ONCE => asked,
        _ => issued,
    })
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
                json!({"revision": HIGHEST_REVISION}),
                HIGHEST_REVISION,
                "accesskey.iam.keyward.dev/deploy has revision 2147483647, the highest there is; make another key instead",
            ),
        ] {
            assert_eq!(step(&deploy(spec), from).unwrap_err().to_string(), words);
        }
    }

    #[test]
    fn a_key_of_a_service_account_that_is_off_is_not_rotated() {
        let mut status = issued("Inactive", "new", "2027-05-23T12:00:00Z");
        status["reason"] = json!("ServiceAccountInactive");
        assert_eq!(
            step(&key("deploy", json!({}), status), 1).unwrap_err().to_string(),
            "accesskey.iam.keyward.dev/deploy gets no token while its service account ci-bot is inactive; switch that on: \
             kubectl keyward -n shop activate ci-bot"
        );
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
    fn the_next_revision_is_one_above_what_was_issued_whatever_git_has() {
        for (asked, issued_last, next) in [
            (None, None, 2),
            (Some(4), None, 5),
            (Some(2), Some(3), 4),
            (Some(4), Some(3), 5),
            (None, Some(7), 8),
            (Some(5000), Some(3), 4),
        ] {
            let mut status = issued("Active", "new", "2027-05-23T12:00:00Z");
            match issued_last {
                Some(revision) => status["token"]["revision"] = json!(revision),
                None => status = json!({}),
            }
            let spec = asked.map_or_else(|| json!({}), |revision| json!({"revision": revision}));
            assert_eq!(last(&key("deploy", spec, status)) + 1, next, "{asked:?} after {issued_last:?}");
        }
    }
}
