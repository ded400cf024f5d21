//! What the snapshot looks like.

use serde_json::{Value, json};

use super::*;
use crate::kubectl::output::table::plain;
use crate::kubectl::samples::{account, conditions, now};

fn view(wide: bool) -> SnapshotView {
    SnapshotView { terminal: Terminal::default(), wide, now: now() }
}

fn items() -> Value {
    json!([
        {
            "name": "billing-bot", "displayName": "Billing", "icon": "Chart", "state": "Inactive",
            "keys": {"total": 1, "active": 0, "inactive": 1, "expired": 0, "rejected": 0, "expiringSoon": 0},
        },
        {
            "name": "ci-bot", "displayName": "CI bot", "icon": "Rocket", "state": "Active",
            "lastAccessedAt": "2026-11-23T11:57:00Z", "admins": "User/alice, Group/platform",
            "keys": {"total": 5, "active": 3, "inactive": 0, "expired": 1, "rejected": 1, "expiringSoon": 2},
        },
    ])
}

fn shop() -> Account {
    account(
        json!({"displayName": "The shop", "limits": {"accessKeysPerServiceAccount": 10}}),
        json!({
            "observedGeneration": 1, "usageRecordedSince": "2026-11-01T00:00:00Z",
            "serviceAccounts": {"admitted": 2, "rejected": 1, "limit": 25},
            "keys": {"total": 6, "active": 3, "inactive": 1, "expired": 1, "rejected": 1, "expiringSoon": 2},
            "snapshot": {"time": "2026-11-23T11:59:00Z", "serviceAccounts": items(), "omitted": 0},
            "conditions": conditions("True", "Accepted", "fine"),
        }),
    )
}

fn fresh() -> Account {
    account(json!({}), json!({"observedGeneration": -1}))
}

#[test]
fn an_account_shows_its_limits_and_each_service_account() {
    assert_eq!(
        plain(&view(false).account(&shop())),
        "Account shop (The shop)\n\
     Service accounts: 2 of 25, 1 rejected\n\
     Access keys: 3 active of 6, at most 10 for each service account; expiring: 2 within 30 days\n\
     \n\
     NAME          DISPLAY NAME   ICON     STATE      LAST ACCESSED   KEYS               ADMINS\n\
     billing-bot   Billing        Chart    Inactive   never           0/1                -\n\
     ci-bot        CI bot         Rocket   Active     3m              3/5 (2 expiring)   User/alice, Group/platform\n"
    );
}

#[test]
fn more_columns_tell_the_states_of_keys() {
    let shown = plain(&view(true).account(&shop()));
    let row = shown.lines().find(|line| line.starts_with("ci-bot")).unwrap();
    assert!(shown.contains("KEYS               INACTIVE   EXPIRED   REJECTED   ADMINS\n"), "{shown}");
    assert!(row.contains("3/5 (2 expiring)   0          1         1          User/alice"), "{row}");
}

#[test]
fn a_terminal_shows_states_and_what_expires_in_colour() {
    let shown = view(false).account(&shop());
    for part in
        ["\u{1b}[32mActive", "\u{1b}[33m3/5 (2 expiring)", "\u{1b}[31m1 rejected", "\u{1b}[1mAccount shop"]
    {
        assert!(shown.contains(part), "{part:?} in {shown}");
    }
}

#[test]
fn where_nobody_records_use_it_is_unknown_and_not_never() {
    let mut account = shop();
    account.status.as_mut().unwrap().usage_recorded_since = None;
    let shown = plain(&view(false).account(&account));
    assert!(shown.contains("Inactive   unknown "), "{shown}");
}

#[test]
fn an_account_that_no_controller_has_seen_says_so() {
    assert_eq!(
        plain(&view(false).account(&fresh())),
        "Account shop\n\
     No controller has looked at it yet; is one running?\n\
     \n\
     No service accounts yet. To make one: kubectl keyward -n shop create NAME\n"
    );
}

#[test]
fn what_is_wrong_with_the_account_is_said() {
    let mut account = shop();
    let status = account.status.as_mut().unwrap();
    status.conditions =
        serde_json::from_value(conditions("False", "InvalidLimits", "the limits contradict")).unwrap();
    status.snapshot.as_mut().unwrap().omitted = 7;
    let shown = plain(&view(false).account(&account));
    assert!(shown.contains("30 days\nInvalidLimits: the limits contradict\n\nNAME"), "{shown}");
    assert!(shown.ends_with("7 more are left out of the snapshot: kubectl -n shop get kwsa\n"), "{shown}");
}

#[test]
fn all_accounts_are_a_row_each_and_then_all_service_accounts() {
    assert_eq!(
        plain(&view(false).accounts(&[shop(), fresh()])),
        "NAMESPACE   DISPLAY NAME   SERVICE ACCOUNTS   ACTIVE KEYS   EXPIRING   READY\n\
     shop        The shop       2/25               3/6           2          True\n\
     shop        -              0/0                0/0           0          unknown\n\
     \n\
     NAMESPACE   NAME          DISPLAY NAME   ICON     STATE      LAST ACCESSED   KEYS               ADMINS\n\
     shop        billing-bot   Billing        Chart    Inactive   never           0/1                -\n\
     shop        ci-bot        CI bot         Rocket   Active     3m              3/5 (2 expiring)   User/alice, Group/platform\n"
    );
    assert_eq!(view(false).accounts(&[]), "");
    assert_eq!(view(false).accounts(&[fresh()]).lines().count(), 2);
}
