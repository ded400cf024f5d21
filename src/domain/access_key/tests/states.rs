//! What becomes of a token once it is in its Secret: adopted, switched off and on, expired, lost, repaired,
//! revoked.

use super::*;

const ISSUED: [&str; 2] = [
    "tell Issue Issued of k1 by controller: Key k1 issued into Secret \"deploy\"; expires 2027-02-28T12:00:00Z",
    "status Active k1 @7 Ready=True Active=True Issued: Key k1 issued; expires 2027-02-28T12:00:00Z",
];

/// Thirty days before the token expires.
const FIRST_NOTICE: &str = "2027-01-29T12:00:00Z";

#[test]
fn a_token_that_never_reached_the_status_is_adopted_from_its_secret() {
    let secret = holding("7", &token("k1"));
    let observed = Observed { secret, ..unissued() };
    assert_eq!(steps(&observed, NOW), ISSUED);
    assert_eq!(steps(&observed, "2026-08-31T12:10:00Z"), ISSUED, "a crash later");
    assert_eq!(plan(&observed, at(NOW)).look_again_at, Some(at(FIRST_NOTICE)));

    let status = settled(observed, NOW).key.status;
    assert_eq!(status.token, Some(token("k1")));
    assert_eq!(status.service_account_uid.as_deref(), Some("sa-uid"));
    assert_eq!(status.secret_name.as_deref(), Some("deploy"));
}

#[test]
fn a_record_that_cannot_be_true_is_not_adopted() {
    let changed = |change: fn(&mut OwnedSecret, &mut Record)| {
        let SecretView::Owned(mut secret) = holding("7", &token("k1")) else { unreachable!() };
        let earlier = TokenStatus { issued_at: at("2026-08-31T11:59:00Z"), ..token("k1") };
        let mut record = record(&earlier);
        change(&mut secret, &mut record);
        secret.record = SecretRecord::Sealed(Box::new(record));
        secret
    };
    for secret in [
        changed(|_, record| record.service_account_uid = "an older one".into()),
        changed(|_, record| record.token.expires_at = at("2028-08-31T12:00:01Z")),
        changed(|_, record| record.token.issued_at = at("2026-08-31T12:00:01Z")),
        changed(|secret, _| secret.holds = Holds::Nothing),
        changed(|_, record| record.token.sha256 = "hash-of-another".into()),
    ] {
        let observed = Observed { secret: SecretView::Owned(secret), ..unissued() };
        assert_eq!(
            steps(&observed, NOW),
            ["issue r1 2026-08-31T12:00:00Z to 2027-02-28T12:00:00Z for sa-uid, replaces 7, stage false"]
        );
    }
}

#[test]
fn a_key_that_comes_switched_off_names_who_switches_it_on() {
    let mut off = unissued();
    off.key.spec.state = DesiredState::Inactive;
    let mut on = settled(off, NOW);
    on.key.spec.state = DesiredState::Active;
    on.key.object.generation = 2;
    on.secret = holding("7", &token("k1"));
    let told: Vec<String> = steps(&on, NOW)
        .into_iter()
        .filter(|step| step.starts_with("tell"))
        .map(|step| step[..40].into())
        .collect();
    assert_eq!(
        told,
        ["tell Issue Issued of k1 by controller: K", "tell Activate Activated of k1 by alice: "]
    );
}

fn set_unread(observed: &mut Observed) {
    let SecretView::Owned(secret) = &mut observed.secret else { panic!("no Secret of its own") };
    secret.holds = Holds::Unread;
}

#[test]
fn a_settled_key_needs_nothing() {
    for (now, look_again_at) in [
        (NOW, FIRST_NOTICE),
        ("2026-12-24T18:00:00Z", FIRST_NOTICE),
        ("2027-02-10T00:00:00Z", "2027-02-21T12:00:00Z"),
        ("2027-02-28T11:59:59Z", EXPIRY),
    ] {
        let plan = plan(&settled(issued(), now), at(now));
        assert_eq!((plan.actions, plan.look_again_at), (vec![], Some(at(look_again_at))));
    }
    let mut unread = issued();
    set_unread(&mut unread);
    assert_eq!(steps(&unread, NOW), Vec::<String>::new());
}

#[test]
fn a_key_is_switched_off_and_on_and_keeps_its_token() {
    let mut off = issued();
    off.key.spec.state = DesiredState::Inactive;
    off.key.object.generation = 2;
    assert_eq!(
        steps(&off, "2026-09-01T00:00:00Z"),
        [
            "tell Deactivate Inactive of k1 by alice: Key is inactive as requested by spec.state",
            "status Inactive k1 @7 Ready=True Active=False Inactive: Key is inactive as requested by spec.state",
        ]
    );
    let mut on = settled(off, "2026-09-01T00:00:00Z");
    assert_eq!(steps(&on, "2026-09-01T00:00:00Z"), Vec::<String>::new());
    on.key.spec.state = DesiredState::Active;
    on.key.object.generation = 3;
    assert_eq!(
        steps(&on, "2026-09-02T00:00:00Z"),
        [
            "tell Activate Activated of k1 by alice: Key k1 issued; expires 2027-02-28T12:00:00Z",
            "status Active k1 @7 Ready=True Active=True Issued: Key k1 issued; expires 2027-02-28T12:00:00Z",
        ]
    );
}

#[test]
fn a_key_that_starts_switched_off_gets_no_token() {
    let mut observed = unissued();
    observed.key.spec.state = DesiredState::Inactive;
    assert_eq!(
        steps(&observed, NOW),
        [
            "tell Deactivate Inactive of - by alice: Key is inactive as requested by spec.state",
            "status Inactive - @- Ready=True Active=False Inactive: Key is inactive as requested by spec.state",
        ]
    );
}

#[test]
fn a_key_expires_at_its_very_second_and_its_secret_is_emptied_once() {
    let last_day = settled(issued(), "2027-02-28T00:00:00Z");
    assert_eq!(steps(&last_day, "2027-02-28T11:59:59.9Z"), Vec::<String>::new());
    assert_eq!(
        steps(&issued(), EXPIRY),
        [
            "tell Expire Expired of k1 by controller: Key expired at 2027-02-28T12:00:00Z; raise spec.revision for a new \
             token, or delete the key",
            "status Expired k1 @- Ready=False Active=False Stalled=True Expired: Key expired at 2027-02-28T12:00:00Z; \
             raise spec.revision for a new token, or delete the key",
            "empty",
        ]
    );
    let mut unread = issued();
    set_unread(&mut unread);
    assert_eq!(steps(&unread, EXPIRY)[2], "empty", "its record says that there is a token");

    let mut expired = settled(issued(), EXPIRY);
    assert_eq!(steps(&expired, EXPIRY), ["empty"], "after a crash before the last step");
    let emptied = |holds| {
        SecretView::Owned(OwnedSecret { resource_version: "8".into(), record: SecretRecord::None, holds })
    };
    expired.secret = emptied(Holds::Nothing);
    expired = settled(expired, EXPIRY);
    assert_eq!(expired.key.status.secret_resource_version.as_deref(), Some("8"), "it counts as checked");
    for holds in [Holds::Nothing, Holds::Unread] {
        expired.secret = emptied(holds);
        assert_eq!(plan(&expired, at(EXPIRY)), Plan::default());
    }
    expired.secret = SecretView::Absent;
    assert_eq!(plan(&settled(expired, EXPIRY), at(EXPIRY)), Plan::default());
}

#[test]
fn a_switched_off_key_loses_its_token_at_its_expiry_too() {
    let mut off = issued();
    off.key.spec.state = DesiredState::Inactive;
    let off = settled(off, NOW);
    assert_eq!(plan(&off, at(NOW)).look_again_at, Some(at(EXPIRY)));
    assert_eq!(
        steps(&off, EXPIRY),
        [
            "status Inactive k1 @- Ready=True Active=False Inactive: Key is inactive as requested by spec.state",
            "empty",
        ]
    );
}

#[test]
fn a_key_rests_with_its_service_account() {
    let off = FoundParent { state: DesiredState::Inactive, ..parent() };
    let mut observed = issued();
    observed.service_account = Parent::Found(off);
    let message = "ServiceAccount.iam.keyward.dev \"ci\" is inactive as requested by its spec.state";
    assert_eq!(
        steps(&observed, NOW),
        [
            format!("tell Deactivate ServiceAccountInactive of k1 by bob: {message}"),
            format!("status Inactive k1 @7 Ready=True Active=False ServiceAccountInactive: {message}"),
        ]
    );
    let mut on = settled(observed, NOW);
    on.service_account = Parent::Found(parent());
    assert_eq!(
        steps(&on, NOW),
        [
            "tell Activate Activated of k1 by bob: Key k1 issued; expires 2027-02-28T12:00:00Z",
            "status Active k1 @7 Ready=True Active=True Issued: Key k1 issued; expires 2027-02-28T12:00:00Z",
        ]
    );
}

#[test]
fn a_key_goes_with_its_service_account() {
    let mut observed = issued();
    observed.service_account = Parent::Gone;
    let message = "ServiceAccount.iam.keyward.dev \"ci\" that the key was issued for was deleted, so the key is deleted \
                   too";
    assert_eq!(
        steps(&observed, NOW),
        [
            format!("tell Delete ServiceAccountDeleted of k1 by controller: {message}"),
            format!(
                "status Rejected k1 @- Ready=False Active=False Reconciling=True ServiceAccountDeleted: {message}"
            ),
            "delete".into(),
        ]
    );
    assert_eq!(steps(&settled(observed, NOW), NOW), ["delete"]);
}

#[test]
fn a_lost_or_replaced_token_is_issued_again_until_the_same_expiry() {
    let later = "2026-10-01T00:00:00Z";
    let nothing =
        OwnedSecret { resource_version: "8".into(), record: SecretRecord::None, holds: Holds::Nothing };
    for (secret, replaces) in [
        (SecretView::Absent, "nothing"),
        (SecretView::Owned(nothing), "8"),
        (holding("9", &token("forged")), "9"),
    ] {
        let observed = Observed { secret, ..issued() };
        assert_eq!(
            steps(&observed, later),
            [format!(
                "issue r1 2026-10-01T00:00:00Z to 2027-02-28T12:00:00Z for sa-uid, replaces {replaces}, stage true"
            )]
        );
    }
    let mut staged = issued();
    let next = TokenStatus { issued_at: at(later), ..token("k2") };
    staged.secret = holding("10", &next);
    staged.key.status.next_token = Some(next);
    assert_eq!(
        steps(&staged, later),
        [
            "tell Reissue Reissued of k2 by controller: Key k2 issued into Secret \"deploy\", which no longer held key k1; \
             expires 2027-02-28T12:00:00Z; key k1 is no longer accepted",
            "status Active k2 @10 Ready=True Active=True Issued: Key k2 issued; expires 2027-02-28T12:00:00Z",
        ]
    );
}

#[test]
fn a_secret_that_differs_around_the_right_token_is_repaired() {
    let mut observed = issued();
    let SecretView::Owned(mut secret) = holding("9", &token("k1")) else { unreachable!() };
    secret.holds = Holds::Token { sha256: "hash-of-k1".into(), as_requested: false };
    observed.secret = SecretView::Owned(secret);
    assert_eq!(
        steps(&observed, NOW),
        [
            "tell Repair SecretRepaired of k1 by controller: Secret \"deploy\" was written again with the same token",
            "status Active k1 @- Ready=True Active=True Issued: Key k1 issued; expires 2027-02-28T12:00:00Z",
            "repair",
        ]
    );
    let mut repaired = settled(observed, NOW);
    repaired.secret = holding("10", &token("k1"));
    assert_eq!(
        steps(&repaired, NOW),
        ["status Active k1 @10 Ready=True Active=True Issued: Key k1 issued; expires 2027-02-28T12:00:00Z"]
    );
}

#[test]
fn a_foreign_secret_in_place_of_an_issued_one_leaves_the_token_good() {
    let secret = SecretView::Foreign;
    let observed = Observed { secret, ..issued() };
    let message = "Secret \"deploy\" exists and is not owned by this AccessKey; delete it or choose another \
                   `secret.name`";
    assert_eq!(
        steps(&observed, NOW),
        [
            format!("tell Reject SecretConflict of k1 by controller: {message}"),
            format!("status Active k1 @- Ready=False Active=True Stalled=True SecretConflict: {message}"),
        ]
    );
    let again = plan(&observed, at(NOW)).look_again_at;
    assert_eq!(again, Some(at("2026-08-31T12:00:15Z")));
}

#[test]
fn no_second_token_is_drawn_within_a_minute_for_a_secret_that_holds_another() {
    // As where a template has a token of its own, so that the one that was drawn is not found.
    let not_found = |drawn_at: &str| {
        let drawn = TokenStatus { issued_at: at(drawn_at), ..token("k1") };
        SecretView::Owned(OwnedSecret {
            resource_version: "8".into(),
            record: SecretRecord::Sealed(Box::new(record(&drawn))),
            holds: Holds::Token { sha256: "of-the-template".into(), as_requested: false },
        })
    };
    let until = Some(at("2026-08-31T12:01:00Z"));
    for observed in
        [Observed { secret: not_found(NOW), ..unissued() }, Observed { secret: not_found(NOW), ..issued() }]
    {
        for now in [NOW, "2026-08-31T12:00:59Z"] {
            assert_eq!(plan(&observed, at(now)), Plan { actions: Vec::new(), look_again_at: until });
        }
        assert!(steps(&observed, "2026-08-31T12:01:00Z")[0].starts_with("issue"));
    }
}

#[test]
fn a_lowered_limit_stops_a_key_and_keeps_its_token() {
    let mut observed = issued();
    observed.policy.limits.access_keys = 1;
    observed.service_account = Parent::Found(FoundParent { seat: None, ..parent() });
    let message =
        "ServiceAccount.iam.keyward.dev \"ci\" already has 1 of 1 access keys; delete one to proceed";
    assert_eq!(
        steps(&observed, NOW),
        [
            format!("tell Reject KeyLimitExceeded of k1 by controller: {message}"),
            format!(
                "status Rejected k1 @7 Ready=False Active=False Stalled=True KeyLimitExceeded: {message}"
            ),
        ]
    );
    assert_eq!(plan(&observed, at(NOW)).look_again_at, Some(at(EXPIRY)));
}

#[test]
fn an_issued_key_stays_as_it_is_while_others_have_to_decide() {
    let mut observed = issued();
    for parent in [
        FoundParent { admission: Admission::Undecided, ..parent() },
        FoundParent { seat: None, seats_taken: 0, ..parent() },
    ] {
        observed.service_account = Parent::Found(parent);
        let look_again_at = Some(at(EXPIRY));
        let actions = Vec::new();
        assert_eq!(plan(&observed, at(NOW)), Plan { actions, look_again_at });
    }
}
