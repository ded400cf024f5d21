//! What a new access key asks for, and what is told of it.

use clap::Parser;
use serde_json::json;

use super::super::super::manifest::ObjectOutput;
use super::super::super::samples::{issued, key, now};
use super::super::super::table::plain;
use super::*;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    create: CreateArgs,
}

fn parse(flags: &[&str]) -> Result<CreateArgs, String> {
    let given = ["create", "deploy", "--service-account=ci-bot"].iter().chain(flags);
    Cli::try_parse_from(given).map(|cli| cli.create).map_err(|error| error.to_string())
}

fn spec(flags: &[&str]) -> serde_json::Value {
    serde_json::to_value(asked_for(parse(flags).unwrap(), "shop".into()).spec).unwrap()
}

#[test]
fn a_key_is_valid_for_six_months_unless_it_is_said_otherwise() {
    let key = asked_for(parse(&[]).unwrap(), "shop".into());
    assert_eq!(
        ObjectOutput::Yaml.of(&key).unwrap(),
        "apiVersion: iam.keyward.dev/v1alpha1\n\
         kind: AccessKey\n\
         metadata:\n  \
           name: deploy\n  \
           namespace: shop\n\
         spec:\n  \
           revision: 1\n  \
           serviceAccountName: ci-bot\n  \
           state: Active\n  \
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
            "serviceAccountName": "ci-bot", "validFor": "P1Y", "state": "Active", "revision": 1,
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
        (&["--valid-for=6M"][..], "must be an ISO 8601 duration such as P6M, P1Y, P30D or PT1H, not '6M'"),
        (&["--expires-at=tomorrow"], "must be a time such as 2027-05-31T00:00:00Z, not 'tomorrow'"),
        (&["--valid-for=P6M", "--expires-at=2027-05-31T00:00:00Z"], "cannot be used with"),
        (&["--renew-before=P14D", "--expires-at=2027-05-31T00:00:00Z"], "cannot be used with"),
        (&["--overlap=P7D"], "--renew-before <DURATION>"),
    ] {
        let said = parse(flags).unwrap_err();
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn where_the_token_is_is_told_and_not_the_token() {
    let status = issued("Active", "l75doUeBBMSL", "2027-05-23T12:00:00Z");
    assert_eq!(
        plain(&told(&key("deploy", json!({"secret": {"name": "ci-token"}}), status), now())),
        "Key l75doUeBBMSL expires at 2027-05-23T12:00:00Z (in 181d).\n\
         Its token is in Secret \"ci-token\" of namespace \"shop\". To see it: kubectl keyward -n shop key reveal deploy\n"
    );
    assert_eq!(told(&key("deploy", json!({}), json!({})), now()), "");
}
