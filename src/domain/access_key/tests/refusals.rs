//! Keys that get no token: which reason and which sentence they are given, and which ones just wait.

use super::*;

/// The reason and the message of the one refusal that `observed` leads to.
pub(super) fn refusal(observed: &Observed) -> (String, String) {
    let steps = steps(observed, NOW);
    let [told, written] = steps.as_slice() else { panic!("not a refusal: {steps:?}") };
    let (reason, message) = written
        .strip_prefix("status Rejected - @- Ready=False Active=False Stalled=True ")
        .and_then(|rest| rest.split_once(": "))
        .unwrap_or_else(|| panic!("not a refusal: {written}"));
    assert!(told.ends_with(&format!(": {message}")));
    (reason.into(), message.into())
}

#[test]
fn a_validity_outside_the_range_is_refused_with_both_ends() {
    for (valid_for, expires_at, message) in [
        (
            Some("P5M"),
            None,
            "spec.validFor P5M is outside the account's limits: a token must be valid for P6M to P2Y from its issue",
        ),
        (
            Some("P25M"),
            None,
            "spec.validFor P25M is outside the account's limits: a token must be valid for P6M to P2Y from its issue",
        ),
        (
            Some("P2Y1D"),
            None,
            "spec.validFor P2Y1D is outside the account's limits: a token must be valid for P6M to P2Y from its issue",
        ),
        (
            None,
            Some("2027-02-28T11:59:59Z"),
            "spec.expiresAt 2027-02-28T11:59:59Z is outside the account's limits: a token must be valid for P6M to \
             P2Y from its issue",
        ),
        (
            None,
            Some("2028-08-31T12:00:01Z"),
            "spec.expiresAt 2028-08-31T12:00:01Z is outside the account's limits: a token must be valid for P6M to \
             P2Y from its issue",
        ),
        (
            None,
            Some("2026-08-31T12:00:00Z"),
            "spec.expiresAt 2026-08-31T12:00:00Z is in the past, and outside the account's limits: a token must be \
             valid for P6M to P2Y from its issue",
        ),
        (
            Some("6 months"),
            None,
            "spec.validFor must be an ISO 8601 duration such as P6M, P1Y, P30D or PT1H, not '6 months'",
        ),
        (None, None, "exactly one of spec.validFor and spec.expiresAt must be set; neither is"),
    ] {
        let refused = refusal(&asking(valid_for, expires_at));
        assert_eq!(refused, ("ExpiryOutOfRange".into(), message.into()));
    }
}

#[test]
fn contradictory_limits_let_nothing_be_issued() {
    let mut observed = unissued();
    observed.policy.limits.min_valid_for = Period::months(30);
    let message = "spec.limits.minValidFor is P2Y6M and spec.limits.maxValidFor is P2Y; the shortest validity must not \
                   be longer than the longest, so no key can be issued";
    assert_eq!(refusal(&observed), ("InvalidLimits".into(), message.into()));
}

#[test]
fn a_key_whose_service_account_is_missing_waits_for_it() {
    let service_account = Parent::Missing;
    let observed = Observed { service_account, ..unissued() };
    assert_eq!(
        steps(&observed, NOW),
        [
            "tell Wait ServiceAccountNotFound of - by controller: ServiceAccount.iam.keyward.dev \"ci\" not found in \
             namespace \"team-a\"",
            "status Pending - @- Ready=False Active=False Reconciling=True ServiceAccountNotFound: \
             ServiceAccount.iam.keyward.dev \"ci\" not found in namespace \"team-a\"",
        ]
    );
}

#[test]
fn a_key_that_comes_with_an_inactive_service_account_waits_for_it_to_be_switched_on() {
    let observed = of(FoundParent { state: DesiredState::Inactive, seat: None, ..parent() });
    let message = "ServiceAccount.iam.keyward.dev \"ci\" is inactive as requested by its spec.state";
    assert_eq!(
        steps(&observed, NOW),
        [
            format!("tell Deactivate ServiceAccountInactive of - by bob: {message}"),
            format!("status Inactive - @- Ready=True Active=False ServiceAccountInactive: {message}"),
        ]
    );
    let switched_on = Observed { service_account: of(parent()).service_account, ..settled(observed, NOW) };
    assert_eq!(
        steps(&switched_on, NOW),
        ["issue r1 2026-08-31T12:00:00Z to 2027-02-28T12:00:00Z for sa-uid, replaces nothing, stage false"]
    );
}

#[test]
fn a_key_of_a_service_account_that_is_not_admitted_is_rejected() {
    let admission = Admission::Rejected(Reason::ServiceAccountLimitExceeded, "the account is full".into());
    let (reason, message) = refusal(&of(FoundParent { admission, ..parent() }));
    assert_eq!(reason, "ServiceAccountRejected");
    assert_eq!(message, "ServiceAccount.iam.keyward.dev \"ci\" is not admitted itself: the account is full");
}

#[test]
fn nothing_is_done_while_others_have_to_decide_first() {
    let undecided = FoundParent { admission: Admission::Undecided, ..parent() };
    let room = FoundParent { seat: None, seats_taken: 49, ..parent() };
    for parent in [undecided, room] {
        assert_eq!(plan(&of(parent), at(NOW)), Plan::default());
    }
}

#[test]
fn a_key_without_a_seat_is_rejected_when_the_limit_is_reached() {
    for (removable, end) in [
        (vec![], ""),
        (vec!["old".to_owned()], ", for example \"old\""),
        (vec!["old".to_owned(), "unused".to_owned()], ", for example \"old\", \"unused\""),
    ] {
        let full = FoundParent { seat: None, seats_taken: 50, removable, ..parent() };
        let message =
            "ServiceAccount.iam.keyward.dev \"ci\" already has 50 of 50 access keys; delete one to proceed";
        assert_eq!(refusal(&of(full)), ("KeyLimitExceeded".into(), format!("{message}{end}")));
    }
}

#[test]
fn a_secret_that_a_restore_left_in_its_place_goes_before_a_token_is_issued_and_not_sooner() {
    let secret = SecretView::LeftBehind { uid: "old".into() };
    let observed = Observed { secret: secret.clone(), ..unissued() };
    assert_eq!(steps(&observed, NOW), ["delete the Secret old that was left behind"]);
    assert_eq!(plan(&observed, at(NOW)).look_again_at, None, "it is looked at again at once");

    let full = FoundParent { seat: None, seats_taken: 50, ..parent() };
    let (reason, _) = refusal(&Observed { secret: secret.clone(), ..of(full) });
    assert_eq!(reason, "KeyLimitExceeded");

    let mut off = Observed { secret, ..unissued() };
    off.key.spec.state = DesiredState::Inactive;
    assert!(steps(&off, NOW).iter().all(|step| !step.starts_with("delete")));
}

#[test]
fn a_foreign_secret_is_left_alone_and_looked_at_again() {
    let secret = SecretView::Foreign;
    let observed = Observed { secret, ..unissued() };
    let message = "Secret \"deploy\" exists and is not owned by this AccessKey; delete it or choose another \
                   `secret.name`";
    assert_eq!(refusal(&observed), ("SecretConflict".into(), message.into()));
    let again = plan(&observed, at(NOW)).look_again_at;
    assert_eq!(again, Some(at("2026-08-31T12:00:15Z")));
}
