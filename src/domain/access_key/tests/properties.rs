//! What holds for every plan, whatever was observed.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

/// Offsets in milliseconds around the moments at which something changes.
const MOMENTS: [i64; 9] = [-1_000, -1, 0, 1, 999, 1_000, 29_999, 30_000, 31_000];

fn tokens() -> impl Strategy<Value = TokenStatus> {
    let ends = prop::sample::select(vec![0, 10, 86_400, 200 * 86_400, 365 * 86_400, 900 * 86_400]);
    (0u8..4, 1i64..4, -40i64..40, ends).prop_map(|(n, revision, issued, ends)| TokenStatus {
        revision,
        issued_at: at(NOW) + TimeDelta::seconds(issued),
        expires_at: at(NOW) + TimeDelta::seconds(ends),
        ..token(&format!("k{n}"))
    })
}

fn specs() -> impl Strategy<Value = AccessKeySpec> {
    let valid_for = prop::sample::select(vec![Some("P6M"), Some("P1Y"), Some("P3M"), Some("nonsense"), None]);
    let renew_before = prop::sample::select(vec!["PT10S", "P14D", "P8M", "nonsense"]);
    let overlap = prop::option::of(prop::sample::select(vec!["PT10S", "P7D", "P3Y", "nonsense"]));
    let rotation = prop::option::of((renew_before, overlap));
    let expires_at = prop::option::of(0i64..900);
    (valid_for, expires_at, rotation, 1i64..4, any::<bool>()).prop_map(
        |(valid_for, expires_at, rotation, revision, on)| AccessKeySpec {
            valid_for: valid_for.map(duration),
            expires_at: expires_at.map(|days| at(NOW) + TimeDelta::days(days)),
            rotation: rotation.map(|(renew_before, overlap)| RotationSpec {
                renew_before: duration(renew_before),
                overlap: overlap.map(duration),
            }),
            revision: Some(revision),
            state: if on { DesiredState::Active } else { DesiredState::Inactive },
            ..unissued().key.spec
        },
    )
}

fn parents() -> impl Strategy<Value = Parent> {
    let admission = prop::sample::select(vec![
        Admission::Admitted,
        Admission::Admitted,
        Admission::Admitted,
        Admission::Undecided,
        Admission::Rejected(Reason::DuplicateDisplayName, "the name is held".into()),
    ]);
    let found = (admission, prop::bool::weighted(0.8), prop::bool::weighted(0.8), 0usize..4).prop_map(
        |(admission, on, seated, seats_taken)| {
            let state = if on { DesiredState::Active } else { DesiredState::Inactive };
            let seat = parent().seat.filter(|_| seated);
            Parent::Found(FoundParent { state, admission, seat, seats_taken, ..parent() })
        },
    );
    prop_oneof![1 => Just(Parent::Missing), 1 => Just(Parent::Gone), 8 => found]
}

fn secrets() -> impl Strategy<Value = SecretView> {
    let holds = prop_oneof![
        Just(Holds::Unread),
        Just(Holds::Nothing),
        (0u8..4, any::<bool>())
            .prop_map(|(n, as_requested)| Holds::Token { sha256: format!("hash-of-k{n}"), as_requested }),
    ];
    let record = prop::option::of((tokens(), prop::sample::select(vec!["sa-uid", "another"])));
    let owned = (holds, record, 7u8..9).prop_map(|(holds, record, version)| {
        SecretView::Owned(OwnedSecret {
            resource_version: version.to_string(),
            record: record.map_or(SecretRecord::None, |(token, uid)| {
                SecretRecord::Sealed(Box::new(Record {
                    service_account_uid: uid.into(),
                    ..self::record(&token)
                }))
            }),
            holds,
        })
    });
    let left_behind = Just(SecretView::LeftBehind { uid: "left-behind".into() });
    prop_oneof![1 => Just(SecretView::Absent), 1 => Just(SecretView::Foreign), 1 => left_behind, 6 => owned]
}

prop_compose! {
    fn limits()(keys in 0usize..4, min in 0u32..9, max in 3u32..25) -> Limits {
        Limits {
            access_keys: keys,
            min_valid_for: Period::months(min),
            max_valid_for: Period::months(max),
            ..Limits::default()
        }
    }
}

prop_compose! {
    fn statuses()(
        token in prop::option::weighted(0.8, tokens()),
        next_token in prop::option::of(tokens()),
        previous in prop::option::of((tokens(), -5i64..5)),
        seen in 0i64..3,
        bound in any::<bool>(),
    ) -> AccessKeyStatus {
        AccessKeyStatus {
            observed_generation: seen,
            service_account_uid: bound.then(|| "sa-uid".into()),
            previous_token: previous.map(|(token, left)| PreviousTokenStatus {
                token,
                valid_until: at(NOW) + TimeDelta::seconds(left),
            }),
            token,
            next_token,
            ..AccessKeyStatus::default()
        }
    }
}

prop_compose! {
    /// Any of what may be observed, also what no history leads to, and a moment at which something may
    /// change. The status is as an earlier plan left it, for another spec, or as nobody left it.
    fn observations()(
        spec in specs(),
        before in specs(),
        status in statuses(),
        service_account in parents(),
        earlier in prop::option::of((parents(), secrets())),
        limits in limits(),
        secret in secrets(),
        offset in prop::sample::select(MOMENTS.to_vec()),
    ) -> (Observed, DateTime<Utc>) {
        let now = at(NOW) + TimeDelta::milliseconds(offset);
        let policy = AccountPolicy { limits, ..AccountPolicy::default() };
        let mut observed = Observed { service_account, policy, secret, ..unissued() };
        observed.key.status = status;
        if let Some((service_account, secret)) = earlier {
            let mut old = Observed { service_account, secret, ..observed.clone() };
            old.key.spec = before;
            observed.key.status = written(&old, now).unwrap_or(old.key.status);
        }
        observed.key.spec = spec;
        observed.key.object.generation = 2;
        (observed, now)
    }
}

fn written(observed: &Observed, now: DateTime<Utc>) -> Option<AccessKeyStatus> {
    plan(observed, now).actions.into_iter().find_map(|action| match action {
        Action::WriteStatus(status) => Some(sealed(*status)),
        _ => None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn the_same_input_gives_the_same_plan((observed, now) in observations()) {
        prop_assert_eq!(plan(&observed, now), plan(&observed.clone(), now));
    }

    #[test]
    fn a_written_status_is_not_written_again((observed, now) in observations()) {
        let mut after = observed.clone();
        let Some(status) = written(&observed, now) else { return Ok(()) };
        after.key.status = status;
        let first = plan(&observed, now);
        let second = plan(&after, now);
        let is_work = |action: &&Action| !matches!(action, Action::WriteStatus(_) | Action::Audit(_));
        if !second.actions.iter().any(|action| matches!(action, Action::Issue(_))) {
            prop_assert!(second.actions.iter().filter(is_work).eq(first.actions.iter().filter(is_work)));
            prop_assert_eq!(second.look_again_at, first.look_again_at);
        }
        for action in &second.actions {
            match action {
                Action::WriteStatus(_) => prop_assert!(false, "written again: {:?}", second),
                // A Secret that is still to be repaired is told under the same id.
                Action::Audit(entry) => prop_assert!(
                    entry.reason == "SecretRepaired" && first.actions.contains(action),
                    "told again: {:?}", entry
                ),
                Action::Issue(_)
                | Action::RepairSecret(_)
                | Action::EmptySecret
                | Action::DeleteLeftBehind { .. }
                | Action::DeleteKey => {}
                Action::Publish(_) | Action::Unpublish => prop_assert!(false, "nothing is to be published"),
            }
        }
    }

    #[test]
    fn a_status_is_written_only_where_it_differs((observed, now) in observations()) {
        prop_assert_ne!(written(&observed, now), Some(observed.key.status));
    }

    #[test]
    fn the_next_look_is_always_later((observed, now) in observations()) {
        let again = plan(&observed, now).look_again_at;
        prop_assert!(again.is_none_or(|again| again > now), "{:?}", again);
    }

    #[test]
    fn a_token_is_issued_only_to_a_seated_key_that_is_in_force((observed, now) in observations()) {
        let issued = plan(&observed, now).actions.into_iter().find_map(|action| match action {
            Action::Issue(issue) => Some(issue),
            _ => None,
        });
        if let Some(issue) = issued {
            let open = matches!(
                &observed.service_account,
                Parent::Found(FoundParent {
                    state: DesiredState::Active,
                    admission: Admission::Admitted,
                    seat: Some(_),
                    ..
                })
            );
            prop_assert!(open);
            prop_assert_eq!(observed.key.spec.state, DesiredState::Active);
            prop_assert!(issue.expires_at > now);
            prop_assert_eq!(issue.stage, observed.key.status.token.is_some());
            prop_assert!(matches!(&observed.secret, SecretView::Absent | SecretView::Owned(_)));
        }
    }

    #[test]
    fn an_issue_is_the_only_step_of_its_plan((observed, now) in observations()) {
        let plan = plan(&observed, now);
        if plan.actions.iter().any(|action| matches!(action, Action::Issue(_))) {
            prop_assert_eq!(plan.actions.len(), 1);
            prop_assert_eq!(plan.look_again_at, None);
        }
    }

    #[test]
    fn a_recorded_state_says_whether_the_key_authenticates((observed, now) in observations()) {
        if let Some(status) = written(&observed, now) {
            let active = status.conditions.iter().find(|c| c.type_ == "Active").map(|c| c.status == "True");
            prop_assert_eq!(active, Some(status.state == Some(KeyState::Active)));
            if active == Some(true) {
                prop_assert!(status.token.is_some_and(|token| token.expires_at > at(NOW) - TimeDelta::seconds(1)));
            }
        }
    }
}
