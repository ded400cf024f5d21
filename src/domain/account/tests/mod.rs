//! Decisions about accounts: the seats and names of service accounts, as a table and over arbitrary
//! histories.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::*;
use crate::api::account::{ServiceAccountCounts, SnapshotItem};
use crate::api::service_account::Icon;
use crate::api::shared::{AuditEntry, Seat, Subject};
use crate::api::{AccountSpec, AccountStatus};
use crate::domain::account::limits::Limits;
use crate::domain::account::policy::AccountPolicy;
use crate::domain::change::Change;
use crate::domain::object::Object;
use crate::domain::refused::Failed;
use crate::domain::value::period::Period;

mod access;

const NOW: &str = "2026-08-31T12:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A service account of that name and display name, created `day` days into the year.
fn view(name: &str, display_name: &str, day: i64) -> ServiceAccountView {
    ServiceAccountView {
        uid: format!("{name}-uid"),
        name: name.into(),
        display_name: display_name.into(),
        held_name: None,
        refusals: Vec::new(),
        created: at("2026-01-01T00:00:00Z") + TimeDelta::days(day),
        issued: false,
        created_by: "alice".into(),
        at_a_glance: glance(name, display_name),
    }
}

fn glance(name: &str, display_name: &str) -> SnapshotItem {
    SnapshotItem {
        name: name.into(),
        display_name: display_name.into(),
        icon: Icon::Bot,
        state: None,
        last_accessed_at: None,
        keys: None,
        admins: None,
    }
}

fn seat(name: &str, display_name: &str) -> Seat {
    Seat {
        uid: format!("{name}-uid"),
        name: name.into(),
        display_name: Some(display_name.into()),
        serial: None,
    }
}

fn observed(limit: usize, service_accounts: Vec<ServiceAccountView>) -> Observed {
    Observed {
        failed: Failed::default(),
        object: Object {
            namespace: "team-a".into(),
            name: "account".into(),
            uid: "account-uid".into(),
            generation: 1,
            created: at(NOW),
            deleting: false,
            resource_version: "100".into(),
            changed_by: "carol".into(),
        },
        spec: AccountSpec::default(),
        policy: AccountPolicy {
            limits: Limits { service_accounts: limit, ..Limits::default() },
            ..AccountPolicy::default()
        },
        status: AccountStatus::default(),
        service_accounts,
        gone: Vec::new(),
        super_admins: None,
        iam_admins: None,
        quota: QuotaView::Unwanted,
    }
}

/// What is told, in words, and the status that is written, where one is; nothing else is planned.
fn outcome(observed: &Observed) -> (Vec<String>, Option<AccountStatus>) {
    let mut entries = Vec::new();
    let mut written = None;
    for action in plan(observed, at(NOW)).actions {
        assert!(written.is_none(), "the status is the last step");
        match action {
            Action::Audit(entry) => entries.push(*entry),
            Action::WriteStatus(status) => written = Some(*status),
            Action::Binding(_) | Action::Quota(_) => panic!("it has no admins and no quota"),
        }
    }
    let logged = |entry| written.as_ref().is_some_and(|status| status.audit_log.contains(entry));
    assert!(entries.iter().all(logged), "told but not logged: {entries:?}");
    let told = entries
        .iter()
        .map(|entry| {
            format!(
                "{} {} of {} by {}: {}",
                entry.action, entry.reason, entry.object, entry.actor, entry.message
            )
        })
        .collect();
    (told, written)
}

fn settled(observed: Observed) -> Observed {
    let status = outcome(&observed).1.unwrap();
    Observed { status, ..observed }
}

/// Name and display name of each seat that the plan leaves.
fn seats(observed: &Observed) -> Vec<(String, String)> {
    let status = outcome(observed).1.unwrap_or_else(|| observed.status.clone());
    let named = |seat: Seat| (seat.name, seat.display_name.unwrap_or_default());
    status.seats.into_iter().map(named).collect()
}

fn pairs(seats: &[(&str, &str)]) -> Vec<(String, String)> {
    seats.iter().map(|(name, shown)| ((*name).to_owned(), (*shown).to_owned())).collect()
}

#[test]
fn service_accounts_get_their_seats_oldest_first_in_one_write() {
    let observed = observed(25, vec![view("deploy", "Deploy", 2), view("ci", "CI", 1)]);
    let (told, status) = outcome(&observed);
    let status = status.unwrap();
    assert_eq!(
        told,
        [
            "Create ServiceAccountCreated of ServiceAccount/ci by alice: Service account \"CI\" was admitted to the \
             account",
            "Create ServiceAccountCreated of ServiceAccount/deploy by alice: Service account \"Deploy\" was admitted to \
             the account",
        ]
    );
    assert_eq!(status.seats, [seat("ci", "CI"), seat("deploy", "Deploy")]);
    let counts = ServiceAccountCounts { admitted: 2, rejected: 0, limit: 25 };
    assert_eq!((status.observed_generation, status.service_accounts), (1, Some(counts)));
    let conditions: Vec<_> = status
        .conditions
        .iter()
        .map(|c| (c.type_.as_str(), c.status.as_str(), c.reason.as_str(), c.message.as_str()))
        .collect();
    let message = "Limits in force: 25 service accounts, 50 access keys each, valid for P6M to P2Y";
    assert_eq!(conditions, [("Ready", "True", "Accepted", message)]);
    assert_eq!(plan(&settled(observed), at("2026-12-24T00:00:00Z")), Plan::default());
}

#[test]
fn the_twenty_sixth_is_rejected_until_another_goes() {
    let names: Vec<String> = (0..26).map(|n| format!("sa-{n:02}")).collect();
    let views = names.iter().zip(0..).map(|(name, day)| view(name, name, day)).collect();
    let mut full = settled(observed(25, views));
    assert_eq!(full.status.seats.len(), 25);
    assert!(!full.status.seats.contains(&seat("sa-25", "sa-25")));
    let counts = ServiceAccountCounts { admitted: 25, rejected: 1, limit: 25 };
    assert_eq!(full.status.service_accounts, Some(counts));
    assert_eq!(plan(&full, at(NOW)), Plan::default());

    full.service_accounts.remove(3);
    full.gone = vec!["sa-03-uid".into()];
    full.object.resource_version = "101".into();
    assert_eq!(
        outcome(&full).0,
        [
            "Delete ServiceAccountDeleted of ServiceAccount/sa-03 by unknown: Service account \"sa-03\" was deleted",
            "Create ServiceAccountCreated of ServiceAccount/sa-25 by alice: Service account \"sa-25\" was admitted to \
             the account",
        ]
    );
    let mut after = settled(full);
    assert_eq!(after.status.seats.len(), 25);
    after.gone.clear();
    assert_eq!(plan(&after, at(NOW)).actions, []);
}

#[test]
fn a_seat_whose_service_account_is_unseen_and_not_known_to_be_gone_keeps_seat_and_name() {
    let mut observed = settled(observed(2, vec![view("ci", "CI", 1)]));
    observed.service_accounts = vec![view("other", "ci", 0), view("deploy", "Deploy", 2)];
    assert_eq!(seats(&observed), pairs(&[("ci", "CI"), ("deploy", "Deploy")]));
}

#[test]
fn a_lowered_limit_takes_the_seats_of_the_youngest() {
    let mut observed = settled(observed(25, vec![view("ci", "CI", 1), view("deploy", "Deploy", 2)]));
    observed.policy.limits.service_accounts = 1;
    let (told, status) = outcome(&observed);
    let status = status.unwrap();
    assert_eq!(
        told,
        [
            "Change PolicyChanged of Account/account by carol: Limits in force: 1 service accounts, 50 access keys each, \
             valid for P6M to P2Y"
        ]
    );
    let counts = ServiceAccountCounts { admitted: 1, rejected: 1, limit: 1 };
    assert_eq!((status.seats, status.service_accounts), (vec![seat("ci", "CI")], Some(counts)));
    assert_eq!(
        status.conditions[0].message,
        "Limits in force: 1 service accounts, 50 access keys each, valid for P6M to P2Y"
    );
    assert_eq!(plan(&settled(observed), at(NOW)), Plan::default());
}

#[test]
fn a_refusal_that_a_service_account_tells_stands_in_the_accounts_log_too() {
    let refusal = AuditEntry {
        id: "refusal".into(),
        time: at(NOW),
        actor: "controller".into(),
        action: "Reject".into(),
        object: "ServiceAccount/late".into(),
        key_id: None,
        reason: "ServiceAccountLimitExceeded".into(),
        message: "The account already has 1 of 1 service accounts; delete one to proceed".into(),
        on_behalf_of: None,
        resource: None,
        count: None,
    };
    let late = ServiceAccountView { refusals: vec![refusal.clone()], ..view("late", "Late", 2) };
    let observed = settled(observed(1, vec![view("ci", "CI", 1), late]));
    assert!(observed.status.audit_log.contains(&refusal));
    assert_eq!(plan(&observed, at(NOW)), Plan::default());
}

#[test]
fn of_several_that_want_one_name_the_oldest_gets_it() {
    let views =
        vec![view("b", "ÉCOLE", 2), view("c", "École", 3), view("a", "école", 1), view("d", "Other", 4)];
    let observed = observed(25, views);
    assert_eq!(seats(&observed), pairs(&[("a", "école"), ("d", "Other")]));
    let counts = settled(observed).status.service_accounts.unwrap();
    assert_eq!((counts.admitted, counts.rejected), (2, 2));
}

#[test]
fn a_name_comes_free_with_its_holder() {
    let mut observed = settled(observed(25, vec![view("ci", "CI", 1), view("second", "ci", 2)]));
    observed.service_accounts.remove(0);
    observed.gone = vec!["ci-uid".into()];
    assert_eq!(seats(&observed), pairs(&[("second", "ci")]));
}

#[test]
fn a_renaming_moves_the_name_where_it_is_free() {
    let before = settled(observed(25, vec![view("ci", "CI", 1), view("deploy", "Deploy", 2)]));
    for (wanted, held) in [("Build", "Build"), ("ci", "ci"), ("DEPLOY", "CI"), ("CI", "CI")] {
        let mut observed = before.clone();
        observed.service_accounts[0].display_name = wanted.into();
        assert_eq!(seats(&observed), pairs(&[("ci", held), ("deploy", "Deploy")]), "{wanted}");
        assert_eq!(outcome(&observed).0, Vec::<String>::new());
    }
}

#[test]
fn a_name_that_was_given_up_goes_to_the_next() {
    let mut observed = settled(observed(25, vec![view("ci", "CI", 1)]));
    observed.service_accounts = vec![view("ci", "Build", 1), view("second", "CI", 2)];
    assert_eq!(seats(&observed), pairs(&[("ci", "Build"), ("second", "CI")]));
}

#[test]
fn contradictory_limits_are_shown_and_told_and_seats_stay() {
    let mut observed = settled(observed(25, vec![view("ci", "CI", 1)]));
    observed.policy.limits.min_valid_for = Period::months(30);
    let (told, status) = outcome(&observed);
    let message = "spec.limits.minValidFor is P2Y6M and spec.limits.maxValidFor is P2Y; the shortest validity must not be \
                   longer than the longest, so no key can be issued";
    assert_eq!(told, [format!("Reject InvalidLimits of Account/account by carol: {message}")]);
    let status = status.unwrap();
    let conditions: Vec<_> = status
        .conditions
        .iter()
        .map(|c| (c.type_.as_str(), c.status.as_str(), c.reason.as_str(), c.message.as_str()))
        .collect();
    assert_eq!(
        conditions,
        [("Ready", "False", "InvalidLimits", message), ("Stalled", "True", "InvalidLimits", message)]
    );
    assert_eq!(status.seats, [seat("ci", "CI")]);

    let mut mended = settled(observed);
    mended.policy.limits = Limits::default();
    assert_eq!(
        outcome(&mended).0,
        [
            "Change PolicyChanged of Account/account by carol: Limits in force: 25 service accounts, 50 access keys each, \
             valid for P6M to P2Y"
        ]
    );
}

#[test]
fn a_lost_status_is_rebuilt_from_the_service_accounts_that_have_issued_keys() {
    let issued = |name, day| ServiceAccountView { issued: true, ..view(name, name, day) };
    let views = vec![view("a", "a", 1), view("b", "B2", 2), issued("c", 3), issued("b2", 4)];
    let observed = observed(2, views);
    assert_eq!(seats(&observed), pairs(&[("c", "c"), ("b2", "b2")]));
}

#[test]
fn an_account_without_service_accounts_has_its_conditions_only() {
    let observed = observed(25, Vec::new());
    assert_eq!(outcome(&observed).0, Vec::<String>::new());
    assert_eq!(plan(&settled(observed), at(NOW)), Plan::default());
}

#[test]
fn fractions_of_a_second_are_cut() {
    let observed = observed(25, vec![view("ci", "CI", 1)]);
    assert_eq!(plan(&observed, at("2026-08-31T12:00:00.999Z")), plan(&observed, at(NOW)));
}

/// What a controller may see at one time: some of the service accounts, each with the name it asks for then.
fn views() -> impl Strategy<Value = Vec<ServiceAccountView>> {
    let shown =
        prop::sample::select(vec!["a", "A", "é", "É", "É\u{301}", "straße", "STRASSE", "ς", "Σ", "σ", "b"]);
    prop::collection::btree_map(0i64..8, (shown, any::<bool>()), 0..8).prop_map(|views| {
        let one = |(n, (shown, issued)): (i64, (&str, bool))| ServiceAccountView {
            issued,
            ..view(&format!("sa-{n}"), shown, n % 3)
        };
        views.into_iter().map(one).collect()
    })
}

proptest! {
    /// Names, limits and deletions change at will, and the controller sees any part of it.
    #[test]
    fn no_history_gives_out_a_name_twice_or_a_seat_too_many(
        history in prop::collection::vec((views(), 0usize..6, prop::option::of(0usize..8)), 1..12),
    ) {
        let mut observed = observed(25, Vec::new());
        let mut deleted: Vec<String> = Vec::new();
        let mut version = 100;
        for (views, limit, deletion) in history {
            deleted.extend(deletion.map(|n| format!("sa-{n}-uid")));
            observed.service_accounts = views.into_iter().filter(|view| !deleted.contains(&view.uid)).collect();
            observed.gone = deleted.clone();
            observed.policy.limits.service_accounts = limit;
            for _ in 0..8 {
                let Some(status) = outcome(&observed).1 else { break };
                let shown = status.seats.iter().filter_map(|seat| seat.display_name.as_ref());
                let mut names: Vec<String> = shown.map(|name| name.to_lowercase()).collect();
                names.sort();
                prop_assert!(names.is_sorted_by(|a, b| a < b), "held twice: {:?}", status.seats);
                prop_assert!(status.seats.len() <= limit);
                let counts = status.service_accounts.clone().unwrap();
                prop_assert_eq!(usize::try_from(counts.admitted).unwrap(), status.seats.len());
                version += 1;
                observed.object.resource_version = version.to_string();
                observed.status = status;
            }
            prop_assert_eq!(plan(&observed, at(NOW)).actions, [], "it comes to rest");
        }
    }
}
