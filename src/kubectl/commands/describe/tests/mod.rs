//! What the description of a service account looks like.

use serde_json::json;

use super::*;
use crate::kubectl::output::table::plain;
use crate::kubectl::samples::{conditions, entry, from_json, issued, key, now, service_account};

fn shown(service_account: &ServiceAccount, keys: &[AccessKey]) -> String {
    plain(&super::describe(service_account, keys, Terminal::default(), now()))
}

fn resources() -> serde_json::Value {
    let item = |category: &str, name: &str, usage: &str, impersonation: &str| {
        json!({
            "category": category, "name": name, "role": "Member", "usage": usage, "impersonation": impersonation,
            "displayName": "Expense claims",
        })
    };
    json!({
        "total": 5, "impersonation": "Enabled",
        "categories": [{"category": "Process", "count": 2}, {"category": "App", "count": 3}],
        "inUse": ["integrations that run as it (1): Process \"Expense claims\""],
        "items": [
            item("Process", "claims", "Integration", "Enabled"),
            item("Process", "travel", "Shared", "Disabled"),
            item("App", "mail", "Shared", "Disabled"),
        ],
    })
}

#[test]
fn everything_about_a_service_account_is_on_one_page() {
    let bot = service_account(
        "ci-bot",
        json!({
            "displayName": "CI bot", "icon": "Rocket", "description": "Builds.\nDeploys.",
            "admins": [{"kind": "User", "name": "alice"}, {"kind": "Group", "name": "platform"}],
        }),
        json!({
            "observedGeneration": 1, "state": "Active", "lastAccessedAt": "2026-11-23T11:57:00Z",
            "keys": {"total": 2, "active": 1, "inactive": 1, "expired": 0, "rejected": 0, "expiringSoon": 1},
            "admins": [{"kind": "User", "name": "alice"}], "associatedResources": resources(),
            "conditions": conditions("True", "Admitted", "Service account is admitted"),
            "auditLog": [
                entry("2", "2026-11-21T12:00:00Z", "AdminsChanged", "now managed by User/alice"),
                entry("1", "2026-11-20T12:00:00Z", "Admitted", "admitted"),
            ],
        }),
    );
    let mut expiring = issued("Active", "l75doUeBBMSL", "2026-12-03T12:00:00Z");
    expiring["lastUsedAt"] = json!("2026-11-23T11:57:00Z");
    let keys = [
        key(
            "nightly",
            json!({"revision": 3, "rotation": {"renewBefore": "P14D"}}),
            issued("Inactive", "OzvPVoP9MCix", "2027-05-23T12:00:00Z"),
        ),
        key("deploy", json!({}), expiring),
    ];
    assert_eq!(
        shown(&bot, &keys),
        r#"Name:           ci-bot
Namespace:      shop
Display name:   CI bot
Icon:           Rocket
Description:    Builds.
                Deploys.
State:          Active (Admitted: Service account is admitted)
Created:        2026-11-20T12:00:00Z (3d ago)
Last accessed:  2026-11-23T11:57:00Z (3m ago)
Access keys:    1 active of 2, 1 inactive; expiring: 1 within 30 days
Admins:         User/alice
                Group/platform (named, and not bound yet)

Access keys (2)
  NAME      STATE      KEY ID         EXPIRES   RENEWED     LAST USED   REVISION   REASON
  deploy    Active     l75doUeBBMSL   in 10d    by hand     3m          1          Issued
  nightly   Inactive   OzvPVoP9MCix   in 181d   by itself   unknown     3          Issued

Associated resources (5)
  Process (2)
    NAME     DISPLAY NAME     ROLE     USAGE         IMPERSONATION
    claims   Expense claims   Member   Integration   Enabled
    travel   Expense claims   Member   Shared        Disabled
  App (3)
    NAME   DISPLAY NAME     ROLE     USAGE    IMPERSONATION
    mail   Expense claims   Member   Shared   Disabled
  2 more: kubectl -n shop get kwgrant --field-selector spec.serviceAccountName=ci-bot

Still used by
  integrations that run as it (1): Process "Expense claims"

Audit log (the newest 2 of 2; all: kubectl keyward -n shop audit ci-bot)
  TIME                   ACTOR   OBJECT                  REASON          MESSAGE
  2026-11-20T12:00:00Z   alice   ServiceAccount/ci-bot   Admitted        admitted
  2026-11-21T12:00:00Z   alice   ServiceAccount/ci-bot   AdminsChanged   now managed by User/alice
"#
    );
}

#[test]
fn a_service_account_that_has_nothing_says_so() {
    assert_eq!(
        shown(&service_account("ci-bot", json!({}), json!({})), &[]),
        r"Name:           ci-bot
Namespace:      shop
Display name:   ci-bot
Icon:           Bot
Description:    -
State:          Pending (no controller has looked at it yet; is one running?)
Created:        2026-11-20T12:00:00Z (3d ago)
Last accessed:  unknown
Access keys:    0 active of 0
Admins:         -

Access keys (0)
  none

Associated resources (0)
  none

Audit log
  empty
"
    );
}

#[test]
fn for_programs_it_is_a_list_of_the_objects_themselves() {
    let bot = service_account("ci-bot", json!({}), json!({}));
    let list = objects(bot, vec![key("deploy", json!({}), json!({}))]).unwrap();
    let kinds: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!((list["kind"].as_str(), kinds), (Some("List"), vec!["ServiceAccount", "AccessKey"]));
}

#[test]
fn nobody_tears_the_page_apart_by_what_they_wrote() {
    let spec = json!({"displayName": "x\u{1b}[31m", "description": "a\u{7}\nName: other"});
    let shown = shown(
        &from_json::<ServiceAccount>(serde_json::to_value(service_account("a", spec, json!({}))).unwrap()),
        &[],
    );
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{7}'), "{shown:?}");
    assert!(shown.contains("\n                Name: other\n"), "{shown}");
}
