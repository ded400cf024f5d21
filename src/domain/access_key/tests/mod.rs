//! Decisions about access keys as a table: what was observed, the moment, and every step of the plan.

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::*;
use crate::api::AccessKeySpec;
use crate::api::access_key::{AccessKeyStatus, KeyState, Seal, TokenStatus};
use crate::api::access_key::{PreviousTokenStatus, RotationSpec};
use crate::api::shared::IsoDuration;
use crate::api::shared::{AuditEntry, DesiredState};
use crate::api::{ConditionType, Reason};
use crate::domain::access_key::publish::secrets::Published;
use crate::domain::access_key::record::{Record, SecretRecord};
use crate::domain::access_key::secret::Holds;
use crate::domain::account::limits::Limits;
use crate::domain::account::policy::AccountPolicy;
use crate::domain::audit::catalog::Surface;
use crate::domain::object::Object;
use crate::domain::refused::{Failed, Step};
use crate::domain::service_account::Admission;
use crate::domain::value::period::Period;

mod interleavings;
mod properties;
mod publish;
mod refusals;
mod refused;
mod rotation;
mod states;
mod unused_keys;
mod world;

const NOW: &str = "2026-08-31T12:00:00Z";
/// The serial that the key's seat was given with.
const SEATED: i64 = 1000;
const EXPIRY: &str = "2027-02-28T12:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn duration(text: &str) -> IsoDuration {
    IsoDuration(text.into())
}

fn parent() -> FoundParent {
    FoundParent {
        uid: "sa-uid".into(),
        changed_by: "bob".into(),
        state: DesiredState::Active,
        admission: Admission::Admitted,
        seat: Some(GivenSeat { index: 0, serial: Some(SEATED) }),
        seats_taken: 1,
        removable: Vec::new(),
    }
}

/// A key for six months that has a seat and no token yet.
fn unissued() -> Observed {
    Observed {
        failed: Failed::default(),
        key: Key {
            object: Object {
                namespace: "team-a".into(),
                name: "deploy".into(),
                uid: "key-uid".into(),
                generation: 1,
                created: at(NOW),
                deleting: false,
                resource_version: "100".into(),
                changed_by: "alice".into(),
            },
            spec: AccessKeySpec {
                service_account_name: "ci".into(),
                valid_for: Some(duration("P6M")),
                revision: Some(1),
                ..AccessKeySpec::default()
            },
            status: AccessKeyStatus::default(),
            distrust: None,
            refusals: Vec::new(),
        },
        service_account: Parent::Found(parent()),
        policy: AccountPolicy::default(),
        secret: SecretView::Absent,
        name_granted: false,
        published: Published::default(),
        adopting: false,
    }
}

fn of(parent: FoundParent) -> Observed {
    Observed { service_account: Parent::Found(parent), ..unissued() }
}

fn token(id: &str) -> TokenStatus {
    TokenStatus {
        id: id.into(),
        sha256: format!("hash-of-{id}"),
        revision: 1,
        issued_at: at(NOW),
        expires_at: at(EXPIRY),
    }
}

/// What the Secret with the key's first token records.
fn record(token: &TokenStatus) -> Record {
    Record {
        token: token.clone(),
        next: None,
        previous: None,
        service_account_uid: "sa-uid".into(),
        serial: SEATED + 1,
    }
}

/// As the API server has a status once it was written.
fn sealed(status: AccessKeyStatus) -> AccessKeyStatus {
    let seal = Seal { signed_by: "sealing-key".into(), signature: "signature".into() };
    let seal = Record::of_status(&status).map(|_| status.seal.clone().unwrap_or(seal));
    AccessKeyStatus { seal, ..status }
}

fn holding(version: &str, token: &TokenStatus) -> SecretView {
    SecretView::Owned(OwnedSecret {
        resource_version: version.into(),
        record: SecretRecord::Sealed(Box::new(record(token))),
        holds: Holds::Token { sha256: token.sha256.clone(), as_requested: true },
    })
}

/// The key after the plan's status was written.
fn settled(mut observed: Observed, now: &str) -> Observed {
    for action in plan(&observed, at(now)).actions {
        if let Action::WriteStatus(status) = action {
            observed.key.status = sealed(*status);
        }
    }
    observed
}

/// A key with the token `k1` in the Secret's version 7, all of it recorded.
fn issued() -> Observed {
    let secret = holding("7", &token("k1"));
    settled(Observed { secret, ..unissued() }, NOW)
}

/// Every step of the plan, in words.
fn steps(observed: &Observed, now: &str) -> Vec<String> {
    let plan = plan(observed, at(now));
    let log: Vec<AuditEntry> = plan.actions.iter().filter_map(logged).flatten().collect();
    plan.actions
        .into_iter()
        .map(|action| match action {
            Action::Issue(issue) => format!(
                "issue r{} {} to {} for {}, replaces {}, stage {}",
                issue.revision,
                issue.issued_at.format("%FT%TZ"),
                issue.expires_at.format("%FT%TZ"),
                issue.service_account_uid,
                issue.replaces.as_deref().unwrap_or("nothing"),
                issue.stage
            ),
            Action::RepairSecret(_) => "repair".into(),
            Action::EmptySecret => "empty".into(),
            Action::DeleteLeftBehind { uid } => format!("delete the Secret {uid} that was left behind"),
            Action::DeleteKey => "delete".into(),
            Action::Publish(_) => "publish".into(),
            Action::Unpublish => "unpublish".into(),
            Action::Audit(entry) => {
                assert!(log.contains(&entry), "told but not logged: {entry:?}");
                assert_eq!(entry.object, "AccessKey/deploy");
                let id = entry.key_id.as_deref().unwrap_or("-");
                format!(
                    "tell {} {} of {id} by {}: {}",
                    entry.action, entry.reason, entry.actor, entry.message
                )
            }
            Action::WriteStatus(status) => {
                assert_eq!(status.observed_generation, observed.key.object.generation);
                shown(&status)
            }
        })
        .collect()
}

fn logged(action: &Action) -> Option<Vec<AuditEntry>> {
    match action {
        Action::WriteStatus(status) => Some(status.audit_log.clone()),
        _ => None,
    }
}

fn shown(status: &AccessKeyStatus) -> String {
    let id = |token: &TokenStatus| token.id.clone();
    let state = status.state.map_or("-".into(), |state| format!("{state:?}"));
    let token = status.token.as_ref().map_or("-".into(), id);
    let next = status.next_token.as_ref().map_or(String::new(), |next| format!(" next {}", next.id));
    let previous = status.previous_token.as_ref().map_or(String::new(), |old| {
        format!(" before {} to {}", old.token.id, old.valid_until.format("%FT%TZ"))
    });
    let version = status.secret_resource_version.as_deref().unwrap_or("-");
    let conditions: Vec<String> =
        status.conditions.iter().map(|c| format!("{}={}", c.type_, c.status)).collect();
    let ready = &status.conditions[0];
    let same = |c: &Condition| c.reason == ready.reason && c.message == ready.message;
    let is_remark = |c: &Condition| {
        let remarks =
            ConditionType::ALL.iter().copied().filter(|type_| Surface::of(*type_) != Surface::Ready);
        remarks.map(ConditionType::as_str).any(|type_| type_ == c.type_)
    };
    assert!(status.conditions.iter().all(|c| is_remark(c) || same(c)));
    format!(
        "status {state} {token}{next}{previous} @{version} {} {}: {}",
        conditions.join(" "),
        ready.reason,
        ready.message
    )
}

#[test]
fn the_first_token_is_issued_until_the_last_day_of_february() {
    let Plan { actions, look_again_at } = plan(&unissued(), at(NOW));
    let issue = Issue {
        revision: 1,
        issued_at: at("2026-08-31T12:00:00Z"),
        expires_at: at("2027-02-28T12:00:00Z"),
        service_account_uid: "sa-uid".into(),
        serial: SEATED + 1,
        seat: None,
        replaces: None,
        stage: false,
        previous: None,
    };
    assert_eq!((actions, look_again_at), (vec![Action::Issue(Box::new(issue))], None));
}

#[test]
fn fractions_of_a_second_are_cut() {
    let whole = plan(&unissued(), at(NOW));
    assert_eq!(plan(&unissued(), at("2026-08-31T12:00:00.999Z")), whole);
}

#[test]
fn a_secret_of_its_own_without_a_token_is_replaced() {
    let mut observed = unissued();
    observed.secret = SecretView::Owned(OwnedSecret {
        resource_version: "6".into(),
        record: SecretRecord::None,
        holds: Holds::Nothing,
    });
    assert_eq!(
        steps(&observed, NOW),
        ["issue r1 2026-08-31T12:00:00Z to 2027-02-28T12:00:00Z for sa-uid, replaces 6, stage false"]
    );
}

fn asking(valid_for: Option<&str>, expires_at: Option<&str>) -> Observed {
    let mut observed = unissued();
    observed.key.spec.valid_for = valid_for.map(duration);
    observed.key.spec.expires_at = expires_at.map(at);
    observed
}

#[test]
fn both_ends_of_the_range_are_accepted() {
    for (valid_for, expires_at, end) in [
        (Some("P6M"), None, "2027-02-28T12:00:00Z"),
        (Some("P2Y"), None, "2028-08-31T12:00:00Z"),
        (Some("P24M"), None, "2028-08-31T12:00:00Z"),
        (None, Some("2027-02-28T12:00:00Z"), "2027-02-28T12:00:00Z"),
        (None, Some("2028-08-31T12:00:00Z"), "2028-08-31T12:00:00Z"),
    ] {
        let want =
            format!("issue r1 2026-08-31T12:00:00Z to {end} for sa-uid, replaces nothing, stage false");
        assert_eq!(steps(&asking(valid_for, expires_at), NOW), [want]);
    }
}

#[test]
fn a_secret_is_read_where_its_metadata_leave_a_doubt() {
    let known = issued().key.status;
    let fresh = AccessKeyStatus::default();
    let gone = AccessKeyStatus { token: None, ..known.clone() };
    let unsealed = AccessKeyStatus { seal: None, ..known.clone() };
    let unchecked = AccessKeyStatus { secret_resource_version: None, ..known.clone() };
    for (why, status, generation, seen, wanted) in [
        ("nothing yet", &fresh, 1, None, false),
        ("unseen, but issued", &known, 2, None, true),
        ("unseen, but decided on before", &gone, 1, None, true),
        ("unseen, not issued, changed", &gone, 2, None, false),
        ("the checked version", &known, 1, Some("7"), false),
        ("another version", &known, 1, Some("8"), true),
        ("the spec was changed", &known, 2, Some("7"), true),
        ("never checked", &fresh, 1, Some("7"), true),
        ("found wrong before", &unchecked, 1, Some("7"), true),
        ("from before there were seals", &unsealed, 1, Some("7"), true),
    ] {
        assert_eq!(needs_inspection(status, generation, seen), wanted, "{why}");
    }
}
