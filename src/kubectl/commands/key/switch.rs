//! `kubectl keyward key activate` and `deactivate`.

use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::json;

use crate::api::AccessKey;
use crate::api::shared::DesiredState;
use crate::kubectl::cluster::changes::ChangeArgs;
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::kubectl::input::name::NameOf;
use crate::kubectl::output::times;

/// Flags of `key activate` and `key deactivate`.
#[derive(Args, Clone, Debug)]
pub struct SwitchKeyArgs {
    /// The access key.
    #[arg(value_name = "NAME", add = NameOf::AccessKey)]
    name: String,
    #[command(flatten)]
    change: ChangeArgs,
}

/// `key activate`.
pub async fn activate(context: &Context, args: SwitchKeyArgs) -> Result<(), Error> {
    switch(context, args, DesiredState::Active).await
}

/// `key deactivate`.
pub async fn deactivate(context: &Context, args: SwitchKeyArgs) -> Result<(), Error> {
    switch(context, args, DesiredState::Inactive).await
}

async fn switch(context: &Context, args: SwitchKeyArgs, state: DesiredState) -> Result<(), Error> {
    let SwitchKeyArgs { name, change } = args;
    let cluster = context.globals.connect().await?;
    let key: AccessKey = cluster.get(&name).await?;
    let done = done(&key, state);
    let switched = change.merge(&cluster, &key, &json!({"spec": {"state": state}})).await?;
    change.show(&switched, done)?;
    if state == DesiredState::Inactive && change.is_real() {
        change.add(&used(&key, context.now))?;
    }
    Ok(())
}

fn done(key: &AccessKey, state: DesiredState) -> &'static str {
    match (key.spec.state == state, state) {
        (true, DesiredState::Active) => "is active already",
        (true, DesiredState::Inactive) => "is inactive already",
        (false, DesiredState::Active) => "activated",
        (false, DesiredState::Inactive) => "deactivated",
    }
}

/// When the key was last used: whoever uses it will miss it.
fn used(key: &AccessKey, now: DateTime<Utc>) -> String {
    let used = key.status.as_ref().and_then(|status| status.last_used_at);
    used.map_or_else(String::new, |used| format!("It was last used {}.\n", times::away(used, now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubectl::samples::{key, now};

    fn deploy(state: &str, status: serde_json::Value) -> AccessKey {
        key("deploy", json!({"state": state}), status)
    }

    #[test]
    fn switching_what_is_so_already_says_so() {
        let (on, off) = (deploy("Active", json!({})), deploy("Inactive", json!({})));
        assert_eq!(done(&on, DesiredState::Active), "is active already");
        assert_eq!(done(&on, DesiredState::Inactive), "deactivated");
        assert_eq!(done(&off, DesiredState::Active), "activated");
        assert_eq!(done(&off, DesiredState::Inactive), "is inactive already");
    }

    #[test]
    fn who_switches_a_key_off_learns_when_it_was_last_used() {
        let recent = deploy("Active", json!({"lastUsedAt": "2026-11-23T11:57:00Z"}));
        assert_eq!(used(&recent, now()), "It was last used 3m ago.\n");
        assert_eq!(used(&deploy("Active", json!({})), now()), "");
    }
}
