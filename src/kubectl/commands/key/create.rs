//! `kubectl keyward key create`: a new access key. Its token is never printed, only where it is.

use chrono::{DateTime, Utc};
use clap::Args;
use kube::api::ObjectMeta;

use crate::api::access_key::{RotationSpec, SecretSpec};
use crate::api::shared::{DesiredState, IsoDuration};
use crate::api::{AccessKey, AccessKeySpec};
use crate::domain::value::period::Period;
use crate::domain::value::time::parse_rfc3339;
use crate::kubectl::cluster::changes::{ChangeArgs, DryRun};
use crate::kubectl::cluster::wait::WaitArgs;
use crate::kubectl::commands::key::summary::{of_inactive, token_summary, waits_for_parent};
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::kubectl::input::name::NameOf;

/// Flags of `key create`.
#[derive(Args, Clone, Debug)]
pub struct CreateKeyArgs {
    /// Name of the new access key, and of its Secret.
    #[arg(value_name = "NAME")]
    name: String,
    /// The service account that it authenticates as.
    #[arg(long, value_name = "NAME", add = NameOf::ServiceAccount)]
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
pub async fn run(context: &Context, args: CreateKeyArgs) -> Result<(), Error> {
    let (change, wait) = (args.change, args.wait);
    let key = requested(args, context.globals.namespace().await?);
    if change.dry_run == DryRun::Client {
        return change.show(&key, "created");
    }
    let cluster = context.globals.connect().await?;
    let created = cluster.create(&key, change.dry_run).await?;
    change.show(&created, "created")?;
    if change.is_real() && wait.wait {
        let ready = wait.until(&cluster, &created, |key| has_token(key) || waits_for_parent(key)).await?;
        if waits_for_parent(&ready) {
            change.add(&format!("It {}.\n", of_inactive(&ready)))?;
        } else {
            change.add(&token_summary(&ready, context.now))?;
        }
    }
    Ok(())
}

fn has_token(key: &AccessKey) -> bool {
    key.status.as_ref().is_some_and(|status| status.token.is_some())
}

fn requested(args: CreateKeyArgs, namespace: String) -> AccessKey {
    let CreateKeyArgs {
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
        rotation: renew_before.map(|renew_before| RotationSpec { renew_before, overlap }),
        secret: secret_name.map(|name| SecretSpec { name: Some(name), ..SecretSpec::default() }),
        ..AccessKeySpec::default()
    };
    let metadata = ObjectMeta { name: Some(name), namespace: Some(namespace), ..ObjectMeta::default() };
    AccessKey { metadata, spec, status: None }
}

#[cfg(test)]
mod tests {
    //! What a new access key requests.

    use clap::Parser;
    use serde_json::json;

    use super::*;
    use crate::kubectl::cluster::manifest::ObjectOutput;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        create: CreateKeyArgs,
    }

    fn parse(flags: &[&str]) -> Result<CreateKeyArgs, String> {
        let given = ["create", "deploy", "--service-account=ci-bot"].iter().chain(flags);
        Line::try_parse_from(given).map(|cli| cli.create).map_err(|error| error.to_string())
    }

    fn spec(flags: &[&str]) -> serde_json::Value {
        serde_json::to_value(requested(parse(flags).unwrap(), "shop".into()).spec).unwrap()
    }

    #[test]
    fn a_key_is_valid_for_six_months_unless_it_is_said_otherwise() {
        let key = requested(parse(&[]).unwrap(), "shop".into());
        assert_eq!(
            ObjectOutput::Yaml.of(&key).unwrap(),
            "apiVersion: iam.keyward.dev/v1alpha1\n\
         kind: AccessKey\n\
         metadata:\n  \
           name: deploy\n  \
           namespace: shop\n\
         spec:\n  \
           serviceAccountName: ci-bot\n  \
           validFor: P6M\n"
        );
    }

    #[test]
    fn every_flag_stands_in_the_spec() {
        let flags = [
            "--valid-for=P1Y",
            "--renew-before=P14D",
            "--overlap=P7D",
            "--display-name=Deploy",
            "--description=For CI.",
            "--secret-name=ci-token",
        ];
        assert_eq!(
            spec(&flags),
            json!({
                "serviceAccountName": "ci-bot", "validFor": "P1Y", "state": "Active",
                "rotation": {"renewBefore": "P14D", "overlap": "P7D"}, "displayName": "Deploy",
                "description": "For CI.", "secret": {"name": "ci-token"},
            })
        );
    }

    #[test]
    fn a_time_of_expiry_takes_the_place_of_a_duration() {
        let spec = spec(&["--expires-at=2027-05-31T00:00:00+02:00"]);
        assert_eq!(spec["expiresAt"], "2027-05-30T22:00:00Z");
        assert!(spec.get("validFor").is_none());
    }

    #[test]
    fn flags_that_contradict_each_other_or_cannot_be_read_are_refused() {
        for (flags, words) in [
            (
                &["--valid-for=6M"][..],
                "must be an ISO 8601 duration such as P6M, P1Y, P30D or PT1H, not '6M'",
            ),
            (&["--expires-at=tomorrow"], "must be a time such as 2027-05-31T00:00:00Z, not 'tomorrow'"),
            (&["--valid-for=P6M", "--expires-at=2027-05-31T00:00:00Z"], "cannot be used with"),
            (&["--renew-before=P14D", "--expires-at=2027-05-31T00:00:00Z"], "cannot be used with"),
            (&["--overlap=P7D"], "--renew-before <DURATION>"),
        ] {
            let said = parse(flags).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
