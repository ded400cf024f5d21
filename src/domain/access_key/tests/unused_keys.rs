//! What becomes of a key that nobody uses: warned about after 30 days, switched off after 44.

use super::*;
use crate::domain::account::unused::UnusedPolicy;

const WARNING: &str = "2026-09-30T12:00:00Z";
const END: &str = "2026-10-14T12:00:00Z";

/// A key that was never used since it was created, where use is recorded.
fn idle() -> Observed {
    Observed {
        policy: AccountPolicy {
            unused: Some(UnusedPolicy {
                warn_after: Period::days(30),
                deactivate_after: Some(Period::days(44)),
            }),
            usage_recorded_since: Some(at("2026-01-01T00:00:00Z")),
            ..AccountPolicy::default()
        },
        ..issued()
    }
}

fn warned() -> Observed {
    settled(settled(idle(), NOW), WARNING)
}

fn off() -> Observed {
    settled(warned(), END)
}

fn used(mut observed: Observed, last: &str) -> Observed {
    observed.key.status.last_used_at = Some(at(last));
    observed
}

fn changed(mut observed: Observed, change: impl FnOnce(&mut AccessKeySpec)) -> Observed {
    change(&mut observed.key.spec);
    observed.key.object.generation += 1;
    observed
}

/// With another policy of its account.
fn with(mut observed: Observed, change: impl FnOnce(&mut AccountPolicy)) -> Observed {
    change(&mut observed.policy);
    observed
}

#[test]
fn it_is_warned_about_and_then_switched_off_with_its_token_kept() {
    let fresh = settled(idle(), NOW);
    assert_eq!(plan(&fresh, at(NOW)), Plan { actions: vec![], look_again_at: Some(at(WARNING)) });
    assert_eq!(
        steps(&fresh, WARNING),
        [
            "tell Warn UnusedWarning of k1 by controller: Key was not used since 2026-08-31T12:00:00Z; it is switched off at \
             2026-10-14T12:00:00Z unless it is used or its spec is changed before",
            "status Active k1 @7 Ready=True Active=True Unused=True Issued: Key k1 issued; expires 2027-02-28T12:00:00Z",
        ]
    );
    assert_eq!(plan(&warned(), at(WARNING)), Plan { actions: vec![], look_again_at: Some(at(END)) });
    let why = "Key was not used since 2026-08-31T12:00:00Z, so it is switched off as the account's \
               spec.unusedAccessKeys asks; raise spec.revision, or set spec.state to Inactive and back, to use it again";
    assert_eq!(
        steps(&warned(), END),
        [
            format!("tell Deactivate Unused of k1 by controller: {why}"),
            format!("status Inactive k1 @7 Ready=True Active=False Unused=True Unused: {why}"),
        ]
    );
    let off = off();
    assert_eq!(plan(&off, at(END)), Plan { actions: vec![], look_again_at: Some(at(EXPIRY)) });
    assert_eq!(off.key.spec, idle().key.spec);
}

#[test]
fn use_ends_the_warning() {
    let observed = used(warned(), "2026-10-01T12:00:00Z");
    assert_eq!(
        steps(&observed, "2026-10-01T12:00:01Z"),
        ["status Active k1 @7 Ready=True Active=True Issued: Key k1 issued; expires 2027-02-28T12:00:00Z"]
    );
    assert_eq!(settled(observed, END).key.status.unused_warned_at, None);
}

#[test]
fn whoever_changes_its_spec_gets_it_back_for_a_whole_period() {
    let later = "2026-10-20T12:00:00Z";
    let on = "status Active k1 @7 Ready=True Active=True Issued: Key k1 issued; expires 2027-02-28T12:00:00Z";
    let told = "tell Activate Activated of k1 by alice: Key k1 issued; expires 2027-02-28T12:00:00Z";
    let described = changed(off(), |spec| spec.description = Some("still wanted".into()));
    assert_eq!(steps(&described, later), [told, on]);
    let back = settled(described, later);
    assert_eq!(plan(&back, at(later)).look_again_at, Some(at("2026-11-19T12:00:00Z")));

    let switched_off = settled(changed(off(), |spec| spec.state = DesiredState::Inactive), END);
    let switched_on = changed(switched_off, |spec| spec.state = DesiredState::Active);
    assert_eq!(steps(&switched_on, later), [told, on]);
}

#[test]
fn a_key_that_was_switched_off_by_a_person_starts_anew() {
    let person_off = settled(changed(idle(), |spec| spec.state = DesiredState::Inactive), NOW);
    let off_for_long = settled(person_off, END);
    assert_eq!(plan(&off_for_long, at(END)).actions, [], "it is off, and not warned about");
    let on = settled(changed(off_for_long, |spec| spec.state = DesiredState::Active), END);
    assert_eq!(on.key.status.state, Some(KeyState::Active));
    assert_eq!(plan(&on, at(END)).look_again_at, Some(at("2026-11-13T12:00:00Z")));
}

#[test]
fn a_policy_that_is_gone_or_longer_gives_it_back() {
    for policy in
        [None, Some(UnusedPolicy { warn_after: Period::days(90), deactivate_after: Some(Period::days(120)) })]
    {
        let observed = with(off(), |account| account.unused = policy);
        let told = "tell Activate Activated of k1 by controller: Key k1 issued; expires 2027-02-28T12:00:00Z";
        let on =
            "status Active k1 @7 Ready=True Active=True Issued: Key k1 issued; expires 2027-02-28T12:00:00Z";
        assert_eq!(steps(&observed, END), [told, on]);
    }
}

#[test]
fn nothing_is_held_against_a_key_whose_use_nobody_records() {
    let unknown = with(idle(), |account| account.usage_recorded_since = None);
    let publishing = changed(idle(), |spec| spec.publish = Some(vec![from_json()]));
    for observed in [unknown, publishing] {
        let later = settled(settled(observed, NOW), "2026-12-31T12:00:00Z");
        assert_eq!(later.key.status.unused_warned_at, None);
        assert_eq!(later.key.status.state, Some(KeyState::Active));
    }
    let recorded_late =
        with(idle(), |account| account.usage_recorded_since = Some(at("2026-10-01T00:00:00Z")));
    let later = settled(recorded_late, END);
    assert_eq!(plan(&later, at(END)).look_again_at, Some(at("2026-10-31T00:00:00Z")));
}

fn from_json() -> crate::api::access_key::PublishSpec {
    serde_json::from_value(serde_json::json!({"name": "copy", "data": {"key": "$(token)"}})).unwrap()
}
