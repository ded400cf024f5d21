//! All service accounts of an account at a glance: bounded in size, and rewritten at most once in a short
//! interval.

use chrono::{DateTime, TimeDelta, Utc};

use crate::api::account::{Snapshot, SnapshotItem};
use crate::api::shared::KeyCounts;
use crate::domain::value::text::saturating;

/// How long a snapshot stands before it is rewritten.
const INTERVAL: TimeDelta = TimeDelta::seconds(3);
/// The largest snapshot, in bytes as JSON: an Account of 1,000 seats must stay within what etcd takes, 1.5
/// MiB.
pub const LARGEST: usize = 400 * 1024;

/// The snapshot to record at `now`, and when to look again where a newer one has to wait.
pub fn take(
    before: Option<&Snapshot>,
    items: Vec<SnapshotItem>,
    now: DateTime<Utc>,
) -> (Snapshot, Option<DateTime<Utc>>) {
    let fresh = bounded(items, now);
    let Some(before) = before else { return (fresh, None) };
    let same = before.service_accounts == fresh.service_accounts && before.omitted == fresh.omitted;
    let due = before.time + INTERVAL;
    match (same, due <= now) {
        (true, _) => (before.clone(), None),
        (false, true) => (fresh, None),
        // The clock may have been set back: never wait longer than the interval.
        (false, false) => (before.clone(), Some(due.min(now + INTERVAL))),
    }
}

/// As many as fit, by name.
fn bounded(mut items: Vec<SnapshotItem>, time: DateTime<Utc>) -> Snapshot {
    items.sort_by(|a, b| a.name.cmp(&b.name));
    let all = items.len();
    let mut room = LARGEST;
    let mut fits = |item: &SnapshotItem| {
        let left = room.checked_sub(size(item));
        room = left.unwrap_or_default();
        left.is_some()
    };
    let service_accounts: Vec<SnapshotItem> = items.into_iter().take_while(|item| fits(item)).collect();
    let omitted = saturating(all - service_accounts.len());
    Snapshot { time, service_accounts, omitted }
}

fn size(item: &SnapshotItem) -> usize {
    serde_json::to_string(item).map_or(LARGEST, |json| json.len() + 1)
}

/// The keys of all service accounts together.
pub fn keys<'a>(items: impl Iterator<Item = &'a SnapshotItem>) -> KeyCounts {
    let counts = items.filter_map(|item| item.keys.as_ref());
    counts.fold(KeyCounts::default(), |sum, keys| {
        let KeyCounts { total, active, inactive, expired, rejected, expiring_soon } = keys;
        KeyCounts {
            total: sum.total.saturating_add(*total),
            active: sum.active.saturating_add(*active),
            inactive: sum.inactive.saturating_add(*inactive),
            expired: sum.expired.saturating_add(*expired),
            rejected: sum.rejected.saturating_add(*rejected),
            expiring_soon: sum.expiring_soon.saturating_add(*expiring_soon),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::account::AccountStatus;
    use crate::api::service_account::{Icon, ServiceAccountState};
    use crate::api::shared::{AuditEntry, Seat};
    use proptest::prelude::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn item(name: &str) -> SnapshotItem {
        SnapshotItem {
            name: name.into(),
            display_name: name.into(),
            icon: Icon::Terminal,
            state: Some(ServiceAccountState::Inactive),
            last_accessed_at: Some(at(1_700_000_000)),
            keys: Some(KeyCounts {
                total: 50,
                active: 47,
                inactive: 1,
                expired: 1,
                rejected: 1,
                expiring_soon: 12,
            }),
            admins: Some("User/alice, Group/platform".into()),
        }
    }

    fn items(names: &[&str]) -> Vec<SnapshotItem> {
        names.iter().map(|name| item(name)).collect()
    }

    #[test]
    fn a_snapshot_stands_for_three_seconds_and_is_then_rewritten_once() {
        let (first, later) = take(None, items(&["b", "a"]), at(10));
        let names: Vec<&str> = first.service_accounts.iter().map(|item| item.name.as_str()).collect();
        assert_eq!((names, first.time, later), (vec!["a", "b"], at(10), None));
        for (second, kept, look_again) in
            [(10, true, Some(at(13))), (12, true, Some(at(13))), (13, false, None)]
        {
            let (next, later) = take(Some(&first), items(&["a"]), at(second));
            assert_eq!((next == first, later), (kept, look_again), "at second {second}");
        }
        assert_eq!(take(Some(&first), items(&["a", "b"]), at(99)), (first, None), "the same stays");
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_longer() {
        let (first, _) = take(None, items(&["a"]), at(1000));
        assert_eq!(take(Some(&first), items(&["b"]), at(10)).1, Some(at(13)));
    }

    /// As large as the schema allows.
    fn largest(n: usize) -> SnapshotItem {
        SnapshotItem {
            display_name: "ä".repeat(79),
            admins: Some("x".repeat(253)),
            ..item(&format!("{n:04}{}", "x".repeat(249)))
        }
    }

    #[test]
    fn a_thousand_typical_service_accounts_are_all_shown_and_the_largest_ones_as_far_as_they_fit() {
        let typical: Vec<_> = (0..1000).map(|n| item(&format!("build-and-deploy-bot-{n:04}"))).collect();
        assert_eq!(take(None, typical, at(1)).0.omitted, 0);
        let (snapshot, _) = take(None, (0..1000).map(largest).collect(), at(1));
        assert!(snapshot.omitted > 0);
        assert_eq!(snapshot.service_accounts.len() + usize::try_from(snapshot.omitted).unwrap(), 1000);
        assert!(serde_json::to_string(&snapshot).unwrap().len() <= LARGEST + 100);

        // With all else that an account's status holds, etcd takes it.
        let seat = |n: usize| Seat {
            uid: format!("{n:036}"),
            name: largest(n).name,
            display_name: Some(largest(n).display_name),
            serial: None,
        };
        let entry = AuditEntry {
            id: "0123456789abcdef".into(),
            time: at(1),
            actor: "x".repeat(253),
            action: "Create".into(),
            object: "x".repeat(320),
            key_id: None,
            reason: "ServiceAccountLimitExceeded".into(),
            message: "x".repeat(1024),
            on_behalf_of: None,
            resource: None,
            count: None,
        };
        let status = AccountStatus {
            seats: (0..1000).map(seat).collect(),
            snapshot: Some(snapshot),
            audit_log: vec![entry; 50],
            ..AccountStatus::default()
        };
        assert!(serde_json::to_string(&status).unwrap().len() < 1_400_000);
    }

    #[test]
    fn the_keys_of_all_are_added_up() {
        let two = items(&["a", "b"]);
        let keys = keys(two.iter());
        assert_eq!((keys.total, keys.active, keys.expiring_soon), (100, 94, 24));
    }

    proptest! {
        #[test]
        fn however_often_it_is_looked_at_it_is_written_at_most_once_in_three_seconds(
            looks in prop::collection::vec((0i64..3, 0u8..4), 1..60)
        ) {
            let (mut now, mut snapshot, mut written) = (1000, None::<Snapshot>, Vec::new());
            for (passed, name) in looks {
                now += passed;
                let (next, later) = take(snapshot.as_ref(), items(&[name.to_string().as_str()]), at(now));
                prop_assert!(later.is_none_or(|later| later > at(now) && later <= at(now) + INTERVAL));
                if snapshot.as_ref() != Some(&next) {
                    written.push(now);
                }
                snapshot = Some(next);
            }
            prop_assert!(written.windows(2).all(|pair| pair[1] - pair[0] >= 3), "{:?}", written);
        }
    }
}
