//! What a person is shown who switches a service account off.

use serde_json::json;

use super::super::samples::{issued, key, now, service_account};
use super::super::table::plain;
use super::*;

fn bot(in_use: &[&str]) -> ServiceAccount {
    let resources = json!({"total": in_use.len(), "impersonation": "Disabled", "inUse": in_use});
    service_account("ci-bot", json!({"displayName": "CI bot"}), json!({"associatedResources": resources}))
}

fn used(name: &str, state: &str, last_used_at: Option<&str>) -> AccessKey {
    let mut status = issued(state, "l75doUeBBMSL", "2027-05-23T12:00:00Z");
    status["usageRecordedSince"] = json!("2026-11-01T00:00:00Z");
    if let Some(at) = last_used_at {
        status["lastUsedAt"] = json!(at);
    }
    key(name, json!({}), status)
}

fn told(in_use: &[&str], keys: Result<&[AccessKey], String>) -> String {
    plain(&usage(&bot(in_use), keys, now()))
}

#[test]
fn what_still_uses_it_and_which_keys_were_used_lately_is_shown_first() {
    let keys = [
        used("old", "Active", Some("2026-11-01T12:00:00Z")),
        used("nightly", "Active", Some("2026-11-22T12:00:00Z")),
        used("off", "Inactive", Some("2026-11-23T11:59:00Z")),
        used("deploy", "Active", Some("2026-11-23T11:57:00Z")),
        used("never", "Active", None),
    ];
    assert_eq!(
        told(&["integrations that run as it (1): App \"mail\""], Ok(&keys)),
        "serviceaccount.iam.keyward.dev/ci-bot (CI bot) is still used:\n  \
           integrations that run as it (1): App \"mail\"\n\
         Its 4 active access keys stop at once, and are kept.\n  \
           Key \"deploy\" was used 3m ago\n  \
           Key \"nightly\" was used 24h ago"
    );
}

#[test]
fn what_nobody_knows_is_not_taken_for_unused() {
    let key = key("deploy", json!({}), issued("Active", "l75doUeBBMSL", "2027-05-23T12:00:00Z"));
    assert_eq!(
        told(&[], Ok(&[key])),
        "serviceaccount.iam.keyward.dev/ci-bot (CI bot): nothing that is granted to it says that it is still used.\n\
         Its one active access key stops at once, and is kept.\n  \
           Of keys whose use nobody records it is unknown whether they are used."
    );
}

#[test]
fn keys_that_may_not_be_seen_are_no_reason_to_stop_and_are_told_of() {
    let said = told(&[], Err("not allowed: user \"bob\"".into()));
    assert!(said.ends_with("\nIts access keys could not be looked at: not allowed: user \"bob\""), "{said}");
    assert!(told(&[], Ok(&[])).ends_with("\nNone of its access keys is active."));
}

#[test]
fn more_keys_than_a_screen_takes_are_counted() {
    let keys: Vec<AccessKey> =
        (0..12).map(|n| used(&format!("key-{n:02}"), "Active", Some("2026-11-23T11:57:00Z"))).collect();
    assert!(told(&[], Ok(&keys)).ends_with("\n  and 2 more within the last 7 days"));
}

#[test]
fn only_a_confirmed_switch_carries_the_annotation_that_confirms_it() {
    assert_eq!(patch(&bot(&[]), false), json!({"spec": {"state": "Inactive"}}));
    assert_eq!(
        patch(&bot(&[]), true),
        json!({
            "metadata": {"annotations": {"iam.keyward.dev/confirm-deactivation": "ci-bot"}},
            "spec": {"state": "Inactive"},
        })
    );
}

#[test]
fn a_refusal_that_asks_for_the_annotation_is_told_from_any_other() {
    let refused = |message: &str| {
        let status = json!({"code": 403, "reason": "Forbidden", "message": message});
        Error::Server(Box::new(serde_json::from_value(status).unwrap()))
    };
    assert!(wants_confirmation(&refused(
        "is still used: x; to switch it off all the same, set its annotation iam.keyward.dev/confirm-deactivation to \"ci\""
    )));
    assert!(!wants_confirmation(&refused(
        "user \"bob\" may not change ServiceAccount.iam.keyward.dev \"ci\""
    )));
}
