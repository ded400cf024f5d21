//! Which step is taken, and which is refused.

use serde_json::json;

use super::super::super::samples::{issued, key, now};
use super::*;

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
fn it_is_told_until_when_the_token_before_it_is_good() {
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
