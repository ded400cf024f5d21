//! `kubectl keyward key create`: a new access key. Its token is never printed, only where it is.

use chrono::{DateTime, Utc};
use clap::Args;
use kube::api::ObjectMeta;

use super::super::change::{ChangeArgs, DryRun};
use super::super::completion::service_accounts;
use super::super::error::Error;
use super::super::table::{Tone, paint};
use super::super::times;
use super::super::wait::WaitArgs;
use super::super::{Context, command};
use crate::api::access_key::{RotationSpec, SecretSpec, TokenStatus, first_revision};
use crate::api::shared::{DesiredState, IsoDuration};
use crate::api::{AccessKey, AccessKeySpec};
use crate::domain::secret::Owner;
use crate::domain::time::{parse_rfc3339, rfc3339};
use crate::domain::validity::Period;

/// Flags of `key create`.
#[derive(Args, Clone, Debug)]
pub(in super::super) struct CreateArgs {
    /// Name of the new access key, and of its Secret.
    #[arg(value_name = "NAME")]
    name: String,
    /// The service account that it authenticates as.
    #[arg(long, value_name = "NAME", add = service_accounts())]
    service_account: String,
    /// How long each token is valid, in ISO 8601 with calendar months.
    #[arg(long, value_name = "DURATION", default_value = "P6M", value_parser = duration)]
    valid_for: IsoDuration,
    /// Instead: when the token expires, such as 2027-05-31T00:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with_all = ["valid_for", "renew_before"])]
    expires_at: Option<DateTime<Utc>>,
    /// Issue the next token by itself, this long before the present one expires, such as P14D.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    renew_before: Option<IsoDuration>,
    /// How long the previous token stays good beside the next one, such as P7D.
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "renew_before")]
    overlap: Option<IsoDuration>,
    /// Name for people, 1 to 79 characters. Default: NAME.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// What it is for, at most 1024 characters.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Another name for its Secret. It needs the verb `reveal` on the service account.
    #[arg(long, value_name = "NAME")]
    secret_name: Option<String>,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    wait: WaitArgs,
}

fn duration(text: &str) -> Result<IsoDuration, String> {
    Period::parse(text).map(|_| IsoDuration(text.to_owned())).map_err(|error| error.to_string())
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    parse_rfc3339(text).ok_or_else(|| format!("must be a time such as 2027-05-31T00:00:00Z, not '{text}'"))
}

/// The command.
pub(super) async fn run(context: &Context, args: CreateArgs) -> Result<(), Error> {
    let (change, wait) = (args.change, args.wait);
    let key = asked_for(args, context.globals.namespace().await?);
    if change.dry_run == DryRun::Client {
        return change.show(&key, "created");
    }
    let cluster = context.globals.connect().await?;
    let created = cluster.create(&key, change.dry_run).await?;
    change.show(&created, "created")?;
    if change.is_real() && wait.wait {
        let ready = wait.until(&cluster, &created, has_token).await?;
        change.add(&told(&ready, context.now))?;
    }
    Ok(())
}

fn has_token(key: &AccessKey) -> bool {
    key.status.as_ref().is_some_and(|status| status.token.is_some())
}

fn asked_for(args: CreateArgs, namespace: String) -> AccessKey {
    let CreateArgs {
        name,
        service_account,
        valid_for,
        expires_at,
        renew_before,
        overlap,
        display_name,
        description,
        secret_name,
        change: _,
        wait: _,
    } = args;
    let spec = AccessKeySpec {
        service_account_name: service_account,
        display_name,
        description,
        valid_for: expires_at.is_none().then_some(valid_for),
        expires_at,
        state: DesiredState::Active,
        revision: first_revision(),
        rotation: renew_before.map(|renew_before| RotationSpec { renew_before, overlap }),
        secret: secret_name.map(|name| SecretSpec { name: Some(name), ..SecretSpec::default() }),
        publish: None,
    };
    let metadata = ObjectMeta { name: Some(name), namespace: Some(namespace), ..ObjectMeta::default() };
    AccessKey { metadata, spec, status: None }
}

/// What a person wants to know of a key that has a token now.
pub(super) fn told(key: &AccessKey, now: DateTime<Utc>) -> String {
    let Some(TokenStatus { id, expires_at, .. }) =
        key.status.as_ref().and_then(|status| status.token.as_ref())
    else {
        return String::new();
    };
    let name = key.metadata.name.as_deref().unwrap_or_default();
    let namespace = key.metadata.namespace.as_deref().unwrap_or_default();
    let secret = Owner { spec: &key.spec, name, account: namespace }.secret_name();
    format!(
        "Key {} expires at {} ({}).\nIts token is in Secret \"{secret}\" of namespace \"{namespace}\". To see it: {}\n",
        paint(Tone::Strong, id),
        rfc3339(*expires_at),
        times::away(*expires_at, now),
        command(namespace, &format!("key reveal {name}"))
    )
}

#[cfg(test)]
#[path = "create_tests.rs"]
mod tests;
