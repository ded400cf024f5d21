//! What a service account does about its keys: their seats, counts, the ones that could go, and their
//! entries.

use super::*;
use crate::api::names;
use crate::domain::object::Stamps;

fn token(expires_at: &str) -> TokenStatus {
    TokenStatus {
        id: "k1".into(),
        sha256: "hash".into(),
        revision: 1,
        issued_at: at("2026-01-01T00:00:00Z"),
        expires_at: at(expires_at),
    }
}

/// A key that was created `day` days into the year and waits for a seat.
fn waiting(name: &str, day: i64) -> AccessKey {
    let spec = AccessKeySpec {
        service_account_name: "ci".into(),
        valid_for: Some(IsoDuration("P6M".into())),
        ..AccessKeySpec::default()
    };
    access_key(name, at("2026-01-01T00:00:00Z") + TimeDelta::days(day), spec)
}

/// A key that waits for a seat, and asks for a validity that no account allows.
fn refused(name: &str, day: i64) -> AccessKey {
    let mut key = waiting(name, day);
    key.spec.valid_for = Some(IsoDuration("P1D".into()));
    key
}

/// A key with a token, in that state.
fn issued(name: &str, day: i64, state: KeyState) -> AccessKey {
    let mut key = waiting(name, day);
    key.status.get_or_insert_default().state = Some(state);
    key.status.get_or_insert_default().token = Some(token("2027-06-01T00:00:00Z"));
    key
}

fn used(mut key: AccessKey, at_: &str) -> AccessKey {
    key.status.get_or_insert_default().last_used_at = Some(at(at_));
    key
}

fn without_secret(key: AccessKey) -> ObservedKey {
    ObservedKey::new(Arc::new(key), None, false, Stamps::Trusted)
}

fn observed(keys: Vec<AccessKey>) -> Observed {
    super::observed(keys.into_iter().map(without_secret).collect())
}

fn seated(keys: Vec<AccessKey>, seats: &[&str]) -> Observed {
    let mut observed = settled(observed(Vec::new()));
    observed.status.seats = seats.iter().map(|name| seat(&format!("{name}-uid"), name, None)).collect();
    observed.keys = keys.into_iter().map(without_secret).collect();
    observed
}

fn seats(observed: &Observed) -> Vec<String> {
    status(observed).seats.into_iter().map(|seat| seat.name).collect()
}

#[test]
fn seats_go_to_the_oldest_first_in_one_write() {
    let observed = observed(vec![waiting("c", 3), waiting("a", 1), waiting("b", 2)]);
    assert_eq!(seats(&observed), ["a", "b"]);
    let first = Seat { serial: Some(100), ..seat("a-uid", "a", None) };
    assert_eq!(status(&observed).seats[0], first, "it names the version, and a key holds no display name");
}

#[test]
fn a_seat_is_kept_against_an_older_key_that_came_late() {
    let observed = seated(vec![waiting("a", 1), waiting("b", 2), waiting("c", 3)], &["b", "c"]);
    assert_eq!(seats(&observed), ["b", "c"]);
}

#[test]
fn a_key_that_cannot_be_issued_gets_no_seat_but_keeps_one_it_has() {
    let refused = refused("a", 1);
    assert_eq!(seats(&observed(vec![refused.clone(), waiting("b", 2), waiting("c", 3)])), ["b", "c"]);
    assert_eq!(seats(&seated(vec![refused, waiting("b", 2), waiting("c", 3)], &["a"])), ["a", "b"]);
}

#[test]
fn a_lost_list_is_rebuilt_from_the_keys_with_a_token() {
    let young = |name, day| issued(name, day, KeyState::Active);
    let keys = vec![waiting("a", 1), young("c", 3), young("d", 4)];
    assert_eq!(seats(&observed(keys)), ["c", "d"]);
}

#[test]
fn one_that_is_switched_off_gives_seats_only_to_keys_with_a_token() {
    let keys = vec![waiting("a", 1), issued("b", 2, KeyState::Inactive)];
    let mut observed = observed(keys);
    observed.spec.state = DesiredState::Inactive;
    assert_eq!(seats(&observed), ["b"]);
}

#[test]
fn one_that_is_not_admitted_gives_no_seat() {
    let mut observed = in_account(account(0, &[]));
    observed.keys = vec![without_secret(waiting("a", 1))];
    assert_eq!(seats(&observed), Vec::<String>::new());
    assert_eq!(status(&observed).state, Some(ServiceAccountState::Rejected));
}

#[test]
fn a_lowered_limit_takes_the_seats_of_the_youngest_keys() {
    let keys = ["a", "b"].map(|name| issued(name, 1, KeyState::Active)).to_vec();
    let mut observed = seated(keys, &["a", "b"]);
    observed.account.as_mut().unwrap().policy.limits.access_keys = 1;
    assert_eq!(seats(&observed), ["a"]);
}

#[test]
fn a_deleted_key_frees_its_seat_for_the_oldest_that_waits() {
    let mut third = waiting("c", 3);
    third.metadata.annotations = Some([(names::CREATED_BY.to_owned(), "carol".to_owned())].into());
    let mut observed = seated(vec![waiting("d", 4), waiting("b", 2), third], &["a", "b"]);
    observed.gone = vec!["a-uid".into()];
    assert_eq!(seats(&observed), ["b", "c"]);
    assert_eq!(
        steps(&observed),
        [
            "tell Create KeyCreated of AccessKey/c by carol: Access key \"c\" was created",
            "tell Delete KeyDeleted of AccessKey/a by unknown: Access key \"a\" was deleted; its seat is free",
            "status Active as CI, Ready=True Active=True Admitted: Service account is admitted; its active keys \
             authenticate",
        ]
    );
    let mut after = settled(observed);
    after.gone.clear();
    assert_eq!(plan(&after, at(NOW)), Plan::default());
}

#[test]
fn a_seat_whose_key_is_unseen_and_not_known_to_be_gone_stays() {
    assert_eq!(seats(&seated(vec![waiting("b", 2), waiting("c", 3)], &["a"])), ["a", "b"]);
}

#[test]
fn keys_are_counted_by_state() {
    let keys = vec![
        issued("a", 1, KeyState::Active),
        issued("b", 2, KeyState::Active),
        issued("c", 3, KeyState::Inactive),
        issued("d", 4, KeyState::Expired),
        issued("e", 5, KeyState::Rejected),
        issued("f", 6, KeyState::Pending),
        waiting("g", 7),
    ];
    let counts = KeyCounts { total: 7, active: 2, inactive: 1, expired: 1, rejected: 1, expiring_soon: 0 };
    assert_eq!(status(&observed(keys)).keys, Some(counts));
}

#[test]
fn an_active_key_expires_soon_from_thirty_days_before_its_end() {
    for (expires_at, state, soon, again) in [
        ("2026-09-30T12:00:01Z", KeyState::Active, 0, Some("2026-08-31T12:00:01Z")),
        ("2026-09-30T12:00:00Z", KeyState::Active, 1, None),
        ("2026-09-01T00:00:00Z", KeyState::Active, 1, None),
        ("2026-09-30T12:00:00Z", KeyState::Inactive, 0, None),
        ("2026-09-01T00:00:00Z", KeyState::Expired, 0, None),
    ] {
        let mut key = issued("a", 1, state);
        key.status.get_or_insert_default().token = Some(token(expires_at));
        let observed = observed(vec![key]);
        let counts = status(&observed).keys.unwrap();
        assert_eq!(counts.expiring_soon, soon, "{expires_at} {state:?}");
        assert_eq!(plan(&observed, at(NOW)).look_again_at, again.map(at), "{expires_at}");
    }
}

#[test]
fn it_looks_again_when_the_next_key_starts_to_expire_soon() {
    let keys = ["2027-03-01T00:00:00Z", "2026-12-31T00:00:00Z", "2026-09-10T00:00:00Z"].map(|expires_at| {
        let mut key = issued(expires_at, 1, KeyState::Active);
        key.status.get_or_insert_default().token = Some(token(expires_at));
        key
    });
    let look_again_at = plan(&observed(keys.to_vec()), at(NOW)).look_again_at;
    assert_eq!(look_again_at, Some(at("2026-12-01T00:00:00Z")));
}

#[test]
fn the_keys_that_could_go_are_named_while_one_waits() {
    let keys = vec![
        used(issued("busy", 1, KeyState::Active), "2026-08-30T00:00:00Z"),
        used(issued("idle", 2, KeyState::Active), "2026-03-01T00:00:00Z"),
        issued("never-used", 3, KeyState::Active),
        used(issued("over", 4, KeyState::Expired), "2026-08-31T00:00:00Z"),
    ];
    let mut full = seated(keys, &["busy", "idle", "never-used", "over"]);
    full.account.as_mut().unwrap().policy.limits.access_keys = 4;
    assert_eq!(status(&full).removable_keys, Vec::<String>::new(), "none waits");
    full.keys.push(without_secret(waiting("new", 100)));
    assert_eq!(status(&full).removable_keys, ["over", "never-used", "idle"]);
    full.keys.pop();
    full.keys.push(without_secret(refused("refused", 100)));
    assert_eq!(status(&full).removable_keys, Vec::<String>::new(), "it waits for no seat");
}

#[test]
fn the_last_access_is_the_latest_of_its_keys_and_never_goes_back() {
    let keys = vec![
        used(issued("a", 1, KeyState::Active), "2026-05-01T00:00:00Z"),
        used(issued("b", 2, KeyState::Active), "2026-06-01T00:00:00Z"),
        issued("c", 3, KeyState::Active),
    ];
    let mut observed = settled(observed(keys));
    assert_eq!(observed.status.last_accessed_at, Some(at("2026-06-01T00:00:00Z")));
    observed.keys.remove(1);
    assert_eq!(status(&observed).last_accessed_at, Some(at("2026-06-01T00:00:00Z")));
}

#[test]
fn the_log_takes_in_the_entries_of_its_keys() {
    let entry = |id: &str, time: &str| AuditEntry {
        id: id.into(),
        time: at(time),
        actor: "controller".into(),
        action: "Issue".into(),
        object: "AccessKey/a".into(),
        key_id: Some("k1".into()),
        reason: "Issued".into(),
        message: "Key k1 issued".into(),
        on_behalf_of: None,
        resource: None,
        count: None,
    };
    let mut a = issued("a", 1, KeyState::Active);
    a.status.get_or_insert_default().audit_log =
        vec![entry("a2", "2026-08-03T00:00:00Z"), entry("a1", "2026-08-01T00:00:00Z")];
    let mut b = issued("b", 2, KeyState::Active);
    b.status.get_or_insert_default().audit_log = vec![entry("b1", "2026-08-02T00:00:00Z")];
    let observed = seated(vec![a, b], &["a", "b"]);
    let (told, written) = outcome(&observed);
    let ids: Vec<String> = written.unwrap().audit_log.into_iter().map(|entry| entry.id).collect();
    assert_eq!(told.len(), 0, "theirs were told already");
    assert_eq!(ids[1..], ["a2", "b1", "a1"], "after that it was admitted");
    assert_eq!(outcome(&settled(observed)), (vec![], None));
}
