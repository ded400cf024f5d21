//! Which keys expire soon, and what is said of their renewal.

use serde_json::{Value, json};

use super::super::samples::{issued, key, now};
use super::super::table::plain;
use super::*;

fn named(name: &str, state: &str, expires_at: &str, spec: Value) -> AccessKey {
    key(name, spec, issued(state, "l75doUeBBMSL", expires_at))
}

fn keys() -> Vec<AccessKey> {
    let rotated = |renew_before: &str| json!({"rotation": {"renewBefore": renew_before}});
    vec![
        named("late", "Active", "2027-11-23T12:00:00Z", json!({})),
        named("second", "Active", "2026-12-13T12:00:00Z", rotated("P14D")),
        named("first", "Active", "2026-11-28T12:00:00Z", json!({})),
        named("gone", "Expired", "2026-11-23T12:00:00Z", json!({})),
        named("off", "Inactive", "2026-12-23T12:00:00Z", rotated("P14D")),
        named("due", "Active", "2026-12-01T12:00:00Z", rotated("P14D")),
        key("pending", json!({}), json!({"observedGeneration": -1})),
    ]
}

fn view(all_namespaces: bool, wide: bool) -> View {
    View { all_namespaces, wide, now: now() }
}

#[test]
fn the_soonest_comes_first_and_it_is_said_whether_anything_renews_it() {
    let found = expiring(keys(), Period::days(30), now());
    assert_eq!(
        plain(&view(false, false).table(&found.keys)),
        "SERVICE ACCOUNT   KEY      STATE      EXPIRES   LAST USED   RENEWAL\n\
         ci-bot            first    Active     in 5d     unknown     nothing renews it\n\
         ci-bot            due      Active     in 8d     unknown     due since 6d\n\
         ci-bot            second   Active     in 20d    unknown     by itself, in 6d\n\
         ci-bot            off      Inactive   in 30d    unknown     not while it is inactive\n"
    );
    assert_eq!(
        view(false, false).remarks(&found, Period::days(30)),
        ["1 access key has expired already: kubectl get kwkey"]
    );
}

#[test]
fn a_key_that_expires_at_the_very_end_of_the_span_is_among_them() {
    let at =
        |within| expiring(keys(), within, now()).keys.iter().map(AccessKey::name_any).collect::<Vec<_>>();
    assert_eq!(at(times::span("5d").unwrap()), ["first"]);
    assert_eq!(at(times::span("119h").unwrap()), [] as [String; 0]);
    assert_eq!(at(times::span("P1Y").unwrap()).len(), 5);
}

#[test]
fn more_columns_tell_times_and_key_ids_and_all_accounts_the_namespace() {
    let found = expiring(keys(), Period::days(5), now());
    assert_eq!(
        plain(&view(true, true).table(&found.keys)),
        "NAMESPACE   SERVICE ACCOUNT   KEY     STATE    EXPIRES   AT                     KEY ID         LAST USED   RENEWAL\n\
         shop        ci-bot            first   Active   in 5d     2026-11-28T12:00:00Z   l75doUeBBMSL   unknown     nothing renews it\n"
    );
}

#[test]
fn that_none_expires_is_said_too() {
    let none = Found { keys: Vec::new(), expired: 2 };
    assert_eq!(
        view(true, false).remarks(&none, Period::days(30)),
        [
            "No access key in any account expires within P30D.",
            "2 access keys have expired already: kubectl get kwkey"
        ]
    );
}
