//! The bounded logs in status: newest first, each entry once, the oldest dropped.

use crate::api::shared::AuditEntry;
use crate::domain::audit::entry::Target;

/// How many entries an access key keeps.
pub const KEY_LOG: usize = 20;
/// How many entries a service account and an account keep.
pub const PARENT_LOG: usize = 50;

/// What tells a repeat on `object` from a retry: the generation and the newest entry about it. A retry finds
/// both as they were, also when another writer has touched the object meanwhile.
pub fn since(log: &[AuditEntry], object: &Target, generation: i64) -> String {
    let label = object.label();
    let newest = log.iter().find(|entry| entry.object == label).map_or("", |entry| entry.id.as_str());
    format!("{generation}/{newest}")
}

/// `log` with `new` entries in front: newest first, each id once, the oldest dropped beyond `bound`. Entries
/// of one second stay in the order in which they came.
pub fn merge<'a>(
    log: &'a [AuditEntry],
    new: impl IntoIterator<Item = &'a AuditEntry>,
    bound: usize,
) -> Vec<AuditEntry> {
    let mut all: Vec<&AuditEntry> = Vec::with_capacity(log.len());
    for entry in new {
        if !log.iter().chain(all.iter().copied()).any(|known| known.id == entry.id) {
            all.insert(0, entry);
        }
    }
    all.extend(log);
    all.sort_by_key(|entry| std::cmp::Reverse(entry.time));
    all.into_iter().take(bound).cloned().collect()
}

/// As [`merge`], for entries of another log that may have been dropped here before: those older than all of a
/// full log do not come back, so that doing it again changes nothing.
pub fn absorb<'a>(
    log: &'a [AuditEntry],
    others: impl IntoIterator<Item = &'a AuditEntry>,
    bound: usize,
) -> Vec<AuditEntry> {
    let oldest = log.last().filter(|_| log.len() >= bound).map(|entry| entry.time);
    let mut young: Vec<&AuditEntry> =
        others.into_iter().filter(|entry| oldest.is_none_or(|oldest| entry.time > oldest)).collect();
    young.sort_by_key(|entry| entry.time);
    merge(log, young, bound)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::api::Kind;
    use crate::api::reason::Reason;
    use crate::domain::audit::entry::{CONTROLLER, Happening};

    fn entry(second: i64, id: &str) -> AuditEntry {
        let happening = Happening {
            reason: Reason::Issued,
            actor: CONTROLLER.into(),
            object: Target { kind: Kind::AccessKey, name: "deploy".into(), uid: "u".into() },
            key_id: Some("k".into()),
            message: "Key issued".into(),
        };
        AuditEntry { id: id.into(), ..happening.entry("1", DateTime::from_timestamp(second, 0).unwrap()) }
    }

    #[test]
    fn the_newest_entry_stands_first_and_the_oldest_is_dropped() {
        let merged = merge(&[entry(2, "b"), entry(1, "a")], &[entry(3, "c")], 2);
        assert_eq!(merged.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["c", "b"]);
    }

    #[test]
    fn entries_of_one_second_stay_in_the_order_in_which_they_came() {
        let merged = merge(&[entry(1, "b"), entry(1, "a")], &[entry(1, "c"), entry(1, "d")], 3);
        assert_eq!(merged.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["d", "c", "b"]);
    }

    proptest! {
        #[test]
        fn absorbing_again_changes_nothing(times in prop::collection::vec(0i64..50, 0..40), bound in 1usize..20) {
            let entries: Vec<_> = times.iter().enumerate().map(|(n, t)| entry(*t, &n.to_string())).collect();
            let once = absorb(&[], &entries, bound);
            prop_assert!(once.len() <= bound);
            prop_assert!(once.is_sorted_by_key(|entry| std::cmp::Reverse(entry.time)));
            prop_assert_eq!(&absorb(&once, &entries, bound), &once);
        }
    }
}
