//! All service accounts of an account at a glance: bounded in size, and rewritten at most once in a short interval.

use chrono::{DateTime, TimeDelta, Utc};

use crate::api::account::{Snapshot, SnapshotItem};
use crate::api::shared::KeyCounts;
use crate::domain::text::saturating;

/// How long a snapshot stands before it is rewritten.
const INTERVAL: TimeDelta = TimeDelta::seconds(3);
/// The largest snapshot, in bytes as JSON: an Account of 1,000 seats must stay within what etcd takes, 1.5 MiB.
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
#[path = "snapshot_tests.rs"]
mod tests;
