//! Decisions about service accounts as a table: admission, switching, and the names they hold.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::api::access_key::{KeyState, TokenStatus};
use crate::api::service_account::ServiceAccountState;
use crate::api::shared::{AuditEntry, DesiredState, IsoDuration, KeyCounts, Seat};
use crate::api::{AccessKey, AccessKeySpec, ResourceGrantSpec, ServiceAccountSpec, ServiceAccountStatus};
use crate::domain::account::limits::Limits;
use crate::domain::account::policy::AccountPolicy;
use crate::domain::admins;
use crate::domain::change::Change;
use crate::domain::object::Object;
use crate::domain::refused::Failed;
use crate::domain::value::time::to_kube;

mod access;
mod keys;

const NOW: &str = "2026-08-31T12:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn seat(uid: &str, name: &str, display_name: Option<&str>) -> Seat {
    Seat { uid: uid.into(), name: name.into(), display_name: display_name.map(str::to_owned), serial: None }
}

fn account(service_accounts: usize, seats: &[Seat]) -> AccountView {
    let limits = Limits { service_accounts, access_keys: 2, ..Limits::default() };
    AccountView { policy: AccountPolicy { limits, ..AccountPolicy::default() }, seats: seats.to_vec() }
}

/// A key with the UID `<name>-uid`, and nothing recorded.
fn access_key(name: &str, created: DateTime<Utc>, spec: AccessKeySpec) -> AccessKey {
    let mut key = AccessKey::new(name, spec);
    key.metadata.uid = Some(format!("{name}-uid"));
    key.metadata.creation_timestamp = Some(to_kube(created));
    key
}

/// The service account `ci`, admitted as "CI", in an account that gives each two keys.
fn observed(keys: Vec<ObservedKey>) -> Observed {
    Observed {
        failed: Failed::default(),
        object: Object {
            namespace: "team-a".into(),
            name: "ci".into(),
            uid: "sa-uid".into(),
            generation: 1,
            created: at(NOW),
            deleting: false,
            resource_version: "100".into(),
            changed_by: "alice".into(),
        },
        spec: ServiceAccountSpec { display_name: Some("CI".into()), ..ServiceAccountSpec::default() },
        status: ServiceAccountStatus::default(),
        account: Some(account(25, &[seat("sa-uid", "ci", Some("CI"))])),
        keys,
        gone: Vec::new(),
        grants: Vec::new(),
        role: None,
        binding: None,
    }
}

fn in_account(account: AccountView) -> Observed {
    Observed { account: Some(account), ..observed(Vec::new()) }
}

/// The entries that are told and the status that is written, where one is; nothing else is planned.
fn outcome(observed: &Observed) -> (Vec<AuditEntry>, Option<ServiceAccountStatus>) {
    let mut told = Vec::new();
    let mut written = None;
    for action in plan(observed, at(NOW)).actions {
        assert!(written.is_none(), "the status is the last step");
        match action {
            Action::Audit(entry) => told.push(*entry),
            Action::WriteStatus(status) => written = Some(*status),
            Action::CreateAccount => panic!("there is an account"),
            Action::Role(_) | Action::Binding(_) => panic!("it has no admins"),
        }
    }
    (told, written)
}

fn status(observed: &Observed) -> ServiceAccountStatus {
    outcome(observed).1.unwrap()
}

fn settled(observed: Observed) -> Observed {
    Observed { status: status(&observed), ..observed }
}

/// Every step of a plan, in words.
fn steps(observed: &Observed) -> Vec<String> {
    let (told, written) = outcome(observed);
    let mut steps: Vec<String> = told
        .iter()
        .map(|entry| {
            assert!(written.as_ref().is_some_and(|status| status.audit_log.contains(entry)));
            format!(
                "tell {} {} of {} by {}: {}",
                entry.action, entry.reason, entry.object, entry.actor, entry.message
            )
        })
        .collect();
    steps.extend(written.map(|status| {
        assert_eq!(status.observed_generation, observed.object.generation);
        let state = status.state.unwrap();
        let name = status.display_name.as_deref().unwrap_or("-");
        let conditions: Vec<String> =
            status.conditions.iter().map(|c| format!("{}={}", c.type_, c.status)).collect();
        let ready = &status.conditions[0];
        format!("status {state:?} as {name}, {} {}: {}", conditions.join(" "), ready.reason, ready.message)
    }));
    steps
}

#[test]
fn an_account_is_created_for_the_first_service_account_and_nothing_else_is_done() {
    let observed = Observed { account: None, ..observed(Vec::new()) };
    let plan = plan(&observed, at(NOW));
    assert_eq!((plan.actions, plan.look_again_at), (vec![Action::CreateAccount], None));
}

#[test]
fn nothing_is_done_until_the_account_has_decided() {
    let others = [seat("other-uid", "other", Some("Other"))];
    assert_eq!(plan(&in_account(account(2, &others)), at(NOW)), Plan::default());
}

#[test]
fn one_with_a_seat_is_admitted_and_then_left_alone() {
    let observed = observed(Vec::new());
    assert_eq!(
        steps(&observed),
        [
            "tell Admit Admitted of ServiceAccount/ci by controller: Service account is admitted; its active keys \
             authenticate",
            "status Active as CI, Ready=True Active=True Admitted: Service account is admitted; its active keys \
             authenticate",
        ]
    );
    assert_eq!(plan(&settled(observed), at(NOW)), Plan::default());
}

#[test]
fn the_whole_status_of_an_admitted_one_is_known() {
    let status = status(&observed(Vec::new()));
    assert_eq!(status.keys, Some(KeyCounts::default()));
    assert_eq!((status.seats, status.removable_keys, status.last_accessed_at), (vec![], vec![], None));
}

#[test]
fn one_is_switched_off_and_on() {
    let mut off = settled(observed(Vec::new()));
    off.spec.state = DesiredState::Inactive;
    off.object.generation = 2;
    assert_eq!(
        steps(&off),
        [
            "tell Deactivate Inactive of ServiceAccount/ci by alice: Service account is inactive as requested by \
             spec.state",
            "status Inactive as CI, Ready=True Active=False Inactive: Service account is inactive as requested by \
             spec.state",
        ]
    );
    let mut on = settled(off);
    assert_eq!(steps(&on), Vec::<String>::new());
    on.spec.state = DesiredState::Active;
    on.object.generation = 3;
    on.object.resource_version = "101".into();
    assert_eq!(
        steps(&on),
        [
            "tell Activate Activated of ServiceAccount/ci by alice: Service account is admitted; its active keys \
             authenticate",
            "status Active as CI, Ready=True Active=True Admitted: Service account is admitted; its active keys \
             authenticate",
        ]
    );
}

#[test]
fn one_beyond_the_limit_is_rejected() {
    let others = [seat("a-uid", "a", Some("A")), seat("b-uid", "b", Some("B"))];
    let observed = in_account(account(2, &others));
    let message = "The account already has 2 of 2 service accounts; delete one to proceed";
    assert_eq!(
        steps(&observed),
        [
            format!("tell Reject ServiceAccountLimitExceeded of ServiceAccount/ci by controller: {message}"),
            format!(
                "status Rejected as -, Ready=False Active=False Stalled=True ServiceAccountLimitExceeded: {message}"
            ),
        ]
    );
    assert_eq!(plan(&settled(observed), at(NOW)), Plan::default());
}

#[test]
fn a_display_name_is_held_without_regard_to_case() {
    for (held, wanted) in [("CI", "CI"), ("ci", "CI"), ("ÉCOLE", "école"), ("école", "ÉCOLE"), ("ЖУК", "жук")]
    {
        let mut observed = in_account(account(25, &[seat("other-uid", "other", Some(held))]));
        observed.spec.display_name = Some(wanted.into());
        let message = format!(
            "Display name \"{wanted}\" (spec.displayName) is held by ServiceAccount.iam.keyward.dev \"other\"; \
             choose one that no other service account of the account has, without regard to upper and lower case"
        );
        assert_eq!(
            steps(&observed),
            [
                format!("tell Reject DuplicateDisplayName of ServiceAccount/ci by controller: {message}"),
                format!(
                    "status Rejected as -, Ready=False Active=False Stalled=True DuplicateDisplayName: {message}"
                ),
            ]
        );
    }
}

#[test]
fn the_objects_name_stands_in_for_a_display_name() {
    let mut observed = in_account(account(25, &[seat("other-uid", "other", Some("Ci"))]));
    observed.spec.display_name = None;
    assert!(steps(&observed)[1].contains("Display name \"ci\" (spec.displayName) is held by"));
    let mut observed = in_account(account(25, &[seat("other-uid", "other", Some("Cix"))]));
    observed.spec.display_name = None;
    assert_eq!(plan(&observed, at(NOW)), Plan::default(), "it waits for its seat");
}

#[test]
fn one_that_is_renamed_to_a_held_name_keeps_its_own_and_works_on() {
    let seats = [seat("other-uid", "other", Some("Deploy")), seat("sa-uid", "ci", Some("CI"))];
    let mut observed = settled(in_account(account(25, &seats)));
    observed.spec.display_name = Some("deploy".into());
    let message = "Display name \"deploy\" (spec.displayName) is held by ServiceAccount.iam.keyward.dev \"other\"; choose \
                   one that no other service account of the account has, without regard to upper and lower case";
    assert_eq!(
        steps(&observed),
        [
            format!("tell Reject DuplicateDisplayName of ServiceAccount/ci by controller: {message}"),
            format!(
                "status Active as CI, Ready=False Active=True Stalled=True DuplicateDisplayName: {message}"
            ),
        ]
    );
    observed.spec.state = DesiredState::Inactive;
    let off = steps(&observed);
    assert!(off[0].starts_with("tell Deactivate Inactive of ServiceAccount/ci by alice: "), "{}", off[0]);
    assert_eq!(
        off[2],
        format!(
            "status Inactive as CI, Ready=False Active=False Stalled=True DuplicateDisplayName: {message}"
        )
    );
}

#[test]
fn fractions_of_a_second_are_cut() {
    let observed = observed(Vec::new());
    let whole = plan(&observed, at(NOW));
    assert_eq!(plan(&observed, at(NOW) + TimeDelta::milliseconds(999)), whole);
}
