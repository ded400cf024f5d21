//! Rotation: when the next token is due, how it takes over, and how the previous one ends.

use super::*;
use crate::domain::access_key::tests::refusals::refusal;

const DUE: &str = "2027-02-14T12:00:00Z";

fn rotating(renew_before: &str, overlap: Option<&str>) -> Observed {
    let mut observed = unissued();
    observed.key.spec.rotation =
        Some(RotationSpec { renew_before: duration(renew_before), overlap: overlap.map(duration) });
    observed.secret = holding("7", &token("k1"));
    settled(observed, NOW)
}

fn successor(issued_at: &str, expires_at: &str) -> TokenStatus {
    TokenStatus { issued_at: at(issued_at), expires_at: at(expires_at), ..token("k2") }
}

/// The moment between the Secret with `k2` and the status that says so.
fn taking_over(mut observed: Observed, next: &TokenStatus) -> Observed {
    observed.key.status.next_token = Some(next.clone());
    observed.secret = holding("8", next);
    observed
}

#[test]
fn a_raised_revision_gives_a_new_token() {
    let mut observed = issued();
    observed.key.spec.revision = Some(2);
    observed.key.object.generation = 2;
    assert_eq!(
        steps(&observed, "2026-10-01T00:00:00Z"),
        ["issue r2 2026-10-01T00:00:00Z to 2027-04-01T00:00:00Z for sa-uid, replaces 7, stage true"]
    );
    let next = TokenStatus { revision: 2, ..successor("2026-10-01T00:00:00Z", "2027-04-01T00:00:00Z") };
    assert_eq!(
        steps(&taking_over(observed, &next), "2026-10-01T00:00:01Z"),
        [
            "tell Rotate Rotated of k2 by alice: Key k2 issued into Secret \"deploy\"; expires 2027-04-01T00:00:00Z; \
             key k1 is no longer accepted",
            "status Active k2 @8 Ready=True Active=True Issued: Key k2 issued; expires 2027-04-01T00:00:00Z",
        ]
    );
}

#[test]
fn a_revision_that_is_not_greater_than_the_last_asks_for_nothing() {
    let mut observed = issued();
    observed.key.status.token.as_mut().unwrap().revision = 3;
    observed.secret = holding("7", observed.key.status.token.as_ref().unwrap());
    let behind = |asked: i64| {
        format!(
            "spec.revision is {asked} and 3 was issued last: it is behind, so no token is issued for it; set it to 4 for a \
             new token"
        )
    };
    let far = "spec.revision is 1004 and 3 was issued last: it is more than 1000 ahead, so no token is issued for it; set it to 4 \
               for a new token";
    for (asked, said) in [
        (None, None),
        (Some(3), None),
        (Some(2), Some(("RevisionBehind", behind(2)))),
        (Some(1), Some(("RevisionBehind", behind(1)))),
        (Some(1004), Some(("RevisionTooFar", far.to_owned()))),
    ] {
        observed.key.spec.revision = asked;
        observed.key.object.generation += 1;
        let plan = plan(&observed, at(NOW));
        assert!(!plan.actions.iter().any(|action| matches!(action, Action::Issue(_))), "{asked:?}");
        let status = settled(observed.clone(), NOW).key.status;
        let remark = status.conditions.iter().find(|condition| condition.type_ == "RevisionBehind");
        let remark = remark.map(|condition| (condition.reason.as_str(), condition.message.clone()));
        assert_eq!(remark, said, "{asked:?}");
        assert_eq!(status.token.unwrap().revision, 3);
    }
    observed.key.spec.revision = Some(1003);
    assert!(steps(&observed, NOW)[0].starts_with("issue r1003 "));
}

#[test]
fn a_renewal_keeps_the_last_revision_whatever_git_has() {
    for asked in [None, Some(1), Some(5000)] {
        let mut observed = rotating("P14D", None);
        observed.key.status.token.as_mut().unwrap().revision = 3;
        observed.key.spec.revision = asked;
        assert!(steps(&observed, DUE)[0].starts_with("issue r3 "), "{asked:?}");
    }
    let first = |asked| {
        let mut observed = unissued();
        observed.key.spec.revision = asked;
        steps(&observed, NOW)[0].clone()
    };
    assert!(first(None).starts_with("issue r1 ") && first(Some(7)).starts_with("issue r7 "));
}

#[test]
fn a_raised_revision_revives_an_expired_key() {
    let mut observed = settled(issued(), EXPIRY);
    observed.key.spec.revision = Some(2);
    observed.secret = SecretView::Owned(OwnedSecret {
        resource_version: "8".into(),
        record: SecretRecord::None,
        holds: Holds::Nothing,
    });
    assert_eq!(
        steps(&observed, "2027-03-01T00:00:00Z"),
        ["issue r2 2027-03-01T00:00:00Z to 2027-09-01T00:00:00Z for sa-uid, replaces 8, stage true"]
    );
}

#[test]
fn a_key_is_renewed_at_the_second_it_asks_for() {
    let observed = rotating("P14D", None);
    let before = plan(&observed, at("2027-02-14T11:59:59Z"));
    assert_eq!((before.actions, before.look_again_at), (vec![], Some(at(DUE))));
    for (now, issue) in [
        (DUE, "issue r1 2027-02-14T12:00:00Z to 2027-08-14T12:00:00Z for sa-uid, replaces 7, stage true"),
        (
            "2027-03-01T00:00:00Z",
            "issue r1 2027-03-01T00:00:00Z to 2027-09-01T00:00:00Z for sa-uid, replaces 7, stage true",
        ),
    ] {
        assert_eq!(steps(&observed, now), [issue], "also where it comes too late");
    }
}

#[test]
fn a_changed_validity_counts_from_the_next_token() {
    let mut observed = rotating("P14D", None);
    observed.key.spec.valid_for = Some(duration("P1Y"));
    assert_eq!(steps(&observed, NOW), Vec::<String>::new());
    assert_eq!(
        steps(&observed, DUE),
        ["issue r1 2027-02-14T12:00:00Z to 2028-02-14T12:00:00Z for sa-uid, replaces 7, stage true"]
    );
}

#[test]
fn the_previous_token_stays_good_for_the_overlap_and_is_retired_then() {
    let observed = rotating("P14D", Some("P7D"));
    let next = successor(DUE, "2027-08-14T12:00:00Z");
    let taking_over = taking_over(observed, &next);
    assert_eq!(
        steps(&taking_over, "2027-02-14T12:00:05Z"),
        [
            "tell Rotate Rotated of k2 by controller: Key k2 issued into Secret \"deploy\"; expires 2027-08-14T12:00:00Z; \
             key k1 is accepted until 2027-02-21T12:00:00Z",
            "status Active k2 before k1 to 2027-02-21T12:00:00Z @8 Ready=True Active=True Issued: Key k2 issued; expires \
             2027-08-14T12:00:00Z",
        ]
    );
    let overlapping = settled(taking_over, "2027-02-14T12:00:05Z");
    let plan = plan(&overlapping, at("2027-02-21T11:59:59Z"));
    let end = Some(at("2027-02-21T12:00:00Z"));
    assert_eq!((plan.actions, plan.look_again_at), (vec![], end));
    assert_eq!(
        steps(&overlapping, "2027-02-21T12:00:00Z"),
        [
            "tell Retire PreviousTokenRetired of k1 by controller: Key k1 is no longer accepted",
            "status Active k2 @8 Ready=True Active=True Issued: Key k2 issued; expires 2027-08-14T12:00:00Z",
        ]
    );
    let retired = settled(overlapping, "2027-02-21T12:00:00Z");
    assert_eq!(steps(&retired, "2027-02-21T12:00:00Z"), Vec::<String>::new());
}

#[test]
fn the_previous_token_never_outlives_its_own_expiry() {
    let next = successor(DUE, "2027-08-14T12:00:00Z");
    let observed = taking_over(rotating("P14D", Some("P30D")), &next);
    let status = settled(observed.clone(), DUE).key.status;
    let previous = PreviousTokenStatus { token: token("k1"), valid_until: at("2027-02-28T12:00:00Z") };
    assert_eq!(status.previous_token, Some(previous));
    let late = settled(observed, EXPIRY).key.status;
    assert_eq!(late.previous_token, None, "recorded only once it was over");
}

#[test]
fn a_next_token_that_is_on_its_way_is_waited_for() {
    let mut renewing = rotating("P14D", None);
    renewing.key.status.next_token = Some(successor(DUE, "2027-08-14T12:00:00Z"));
    let mut lost = renewing.clone();
    lost.key.spec.rotation = None;
    lost.secret = SecretView::Absent;
    for observed in [&renewing, &lost] {
        for now in [DUE, "2027-02-14T12:00:29Z"] {
            let plan = plan(observed, at(now));
            let until = Some(at("2027-02-14T12:00:30Z"));
            assert_eq!((plan.actions, plan.look_again_at), (vec![], until));
        }
    }
    assert_eq!(
        steps(&renewing, "2027-02-14T12:00:30Z"),
        ["issue r1 2027-02-14T12:00:30Z to 2027-08-14T12:00:30Z for sa-uid, replaces 7, stage true"]
    );
    assert_eq!(
        steps(&lost, "2027-02-14T12:00:30Z"),
        ["issue r1 2027-02-14T12:00:30Z to 2027-02-28T12:00:00Z for sa-uid, replaces nothing, stage true"]
    );
}

#[test]
fn a_rotation_that_cannot_work_lets_nothing_be_issued() {
    for (renew_before, overlap, message) in [
        (
            "P6M",
            None,
            "spec.rotation.renewBefore is P6M and spec.validFor P6M; the renewal must be later than the issue",
        ),
        (
            "P1Y",
            None,
            "spec.rotation.renewBefore is P1Y and spec.validFor P6M; the renewal must be later than the issue",
        ),
        (
            "soon",
            None,
            "spec.rotation.renewBefore must be an ISO 8601 duration such as P6M, P1Y, P30D or PT1H, not 'soon'",
        ),
        (
            "P14D",
            Some("long"),
            "spec.rotation.overlap must be an ISO 8601 duration such as P6M, P1Y, P30D or PT1H, not 'long'",
        ),
    ] {
        let mut observed = unissued();
        observed.key.spec.rotation =
            Some(RotationSpec { renew_before: duration(renew_before), overlap: overlap.map(duration) });
        assert_eq!(refusal(&observed), ("InvalidRotation".into(), message.into()));
    }
}

#[test]
fn a_rotation_that_cannot_work_leaves_an_issued_token_good() {
    let mut observed = issued();
    observed.key.spec.rotation = Some(RotationSpec { renew_before: duration("P6M"), overlap: None });
    let message =
        "spec.rotation.renewBefore is P6M and spec.validFor P6M; the renewal must be later than the issue";
    let now = "2026-09-30T00:00:00Z";
    assert_eq!(
        steps(&observed, now),
        [
            format!("tell Reject InvalidRotation of k1 by controller: {message}"),
            format!("status Active k1 @7 Ready=False Active=True Stalled=True InvalidRotation: {message}"),
        ]
    );
    assert_eq!(plan(&observed, at(now)).look_again_at, Some(at(EXPIRY)));
    observed.secret = SecretView::Absent;
    assert_eq!(
        steps(&observed, now),
        ["issue r1 2026-09-30T00:00:00Z to 2027-02-28T12:00:00Z for sa-uid, replaces nothing, stage true"],
        "a lost token is still issued again"
    );
}

#[test]
fn a_new_revision_of_a_key_whose_fixed_expiry_is_near_says_so_and_leaves_the_token_good() {
    let mut observed = issued();
    observed.key.spec.valid_for = None;
    observed.key.spec.expires_at = Some(at(EXPIRY));
    observed.key.spec.revision = Some(2);
    assert_eq!(
        steps(&observed, "2026-10-01T00:00:00Z")[1],
        "status Active k1 @7 Ready=False Active=True Stalled=True ExpiryOutOfRange: spec.expiresAt \
         2027-02-28T12:00:00Z is outside the account's limits: a token must be valid for P6M to P2Y from its issue"
    );
}

#[test]
fn nothing_is_renewed_while_the_key_is_not_in_force() {
    let mut off = rotating("P14D", None);
    off.key.spec.state = DesiredState::Inactive;
    let mut resting = rotating("P14D", None);
    resting.service_account = Parent::Found(FoundParent { state: DesiredState::Inactive, ..parent() });
    let mut unseated = rotating("P14D", None);
    unseated.service_account = Parent::Found(FoundParent { seat: None, seats_taken: 50, ..parent() });
    for observed in [off, resting, unseated] {
        let steps = steps(&observed, DUE);
        assert_eq!(steps.len(), 2, "{steps:?}");
        assert!(steps[0].starts_with("tell") && steps[1].starts_with("status"));
    }
}

#[test]
fn one_that_is_switched_on_and_gets_a_new_token_tells_both() {
    let mut observed = rotating("P14D", None);
    observed.key.spec.state = DesiredState::Inactive;
    let mut observed = settled(observed, NOW);
    observed.key.spec.state = DesiredState::Active;
    let next = successor(DUE, "2027-08-14T12:00:00Z");
    assert_eq!(
        steps(&taking_over(observed, &next), DUE),
        [
            "tell Rotate Rotated of k2 by controller: Key k2 issued into Secret \"deploy\"; expires 2027-08-14T12:00:00Z; \
             key k1 is no longer accepted",
            "tell Activate Activated of k2 by alice: Key k2 issued; expires 2027-08-14T12:00:00Z",
            "status Active k2 @8 Ready=True Active=True Issued: Key k2 issued; expires 2027-08-14T12:00:00Z",
        ]
    );
}

#[test]
fn a_token_that_its_secret_lost_gets_no_overlap() {
    let observed = rotating("P14D", Some("P7D"));
    let next = successor("2026-10-01T00:00:00Z", EXPIRY);
    let status = settled(taking_over(observed, &next), "2026-10-01T00:00:00Z").key.status;
    assert_eq!((status.token, status.previous_token), (Some(next), None));
}

#[test]
fn a_lost_token_is_issued_again_for_its_own_revision_where_the_new_one_is_refused() {
    let mut observed = issued();
    observed.key.spec.valid_for = Some(duration("P5M"));
    observed.key.spec.revision = Some(2);
    observed.secret = SecretView::Absent;
    assert_eq!(
        steps(&observed, "2026-10-01T00:00:00Z"),
        ["issue r1 2026-10-01T00:00:00Z to 2027-02-28T12:00:00Z for sa-uid, replaces nothing, stage true"]
    );
}
