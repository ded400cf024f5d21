//! What keys did on behalf of persons, as entries of their service account's log: repeats of a day folded
//! into one, and never so many that they push out what else the log tells.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::api::reason::Reason;
use crate::api::shared::AuditEntry;
use crate::domain::audit::entry::id;
use crate::domain::audit::log::PARENT_LOG;
use crate::domain::value::text::{cut, saturating};
use crate::domain::verdict::Cause;

/// How many entries of a service account's log tell of acting for persons.
pub const ACTING_LOG: usize = 20;

/// One kind of action: what is alike in all its repeats.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Act {
    /// UID of the service account.
    pub service_account_uid: String,
    /// The service account, as `keyward:<account>:<name>`.
    pub actor: String,
    /// Name of the key.
    pub key: String,
    /// Public id of the token.
    pub key_id: String,
    /// The person acted for.
    pub on_behalf_of: String,
    /// The resource, as `Category/name`, where one was named.
    pub resource: Option<String>,
    /// Why it was refused, where it was.
    pub refused: Option<Cause>,
}

/// In place of the users whose acts are told by number only.
pub const OTHERS: &str = "(others)";

/// Acts of one service account that are told by number only, since there were too many to tell each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Others<'a> {
    /// UID of the service account.
    pub service_account_uid: &'a str,
    /// The account: the namespace.
    pub account: &'a str,
    /// Name of the service account.
    pub service_account: &'a str,
    /// Whether they were refused.
    pub refused: bool,
}

impl Others<'_> {
    /// The entry for so many of them. Those of one day have the same id.
    pub fn entry(self, repeats: Repeats) -> AuditEntry {
        let Self { service_account_uid, account, service_account, refused } = self;
        let (reason, message) = if refused {
            (Reason::ActingRefused, "Further requests for users were refused, too many to tell each")
        } else {
            (Reason::ActedOnBehalf, "Acted for further users, too many to tell each")
        };
        let day = repeats.last.format("%F");
        AuditEntry {
            id: id(service_account_uid, reason, &format!("{OTHERS}\n{day}")),
            time: repeats.last,
            actor: cut(&format!("keyward:{account}:{service_account}"), 253),
            action: reason.action().into(),
            object: format!("ServiceAccount/{service_account}"),
            key_id: None,
            reason: reason.as_str().into(),
            message: message.into(),
            on_behalf_of: Some(OTHERS.into()),
            resource: None,
            count: Some(saturating(repeats.count)),
        }
    }
}

/// How often and when last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeats {
    /// How often.
    pub count: usize,
    /// When last.
    pub last: DateTime<Utc>,
}

impl Repeats {
    /// Both together.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self { count: self.count.saturating_add(more.count), last: self.last.max(more.last) }
    }
}

impl Act {
    /// Its length in bytes: what varies of what it takes in memory.
    pub fn length(&self) -> usize {
        let Self { service_account_uid, actor, key, key_id, on_behalf_of, resource, refused: _ } = self;
        let texts = [service_account_uid, actor, key, key_id, on_behalf_of];
        texts.into_iter().chain(resource).map(String::len).sum()
    }

    /// Its reason.
    pub fn reason(&self) -> Reason {
        if self.refused.is_some() { Reason::ActingRefused } else { Reason::ActedOnBehalf }
    }

    /// As a sentence.
    pub fn message(&self) -> String {
        let Self { key, on_behalf_of, resource, refused, .. } = self;
        let place = resource.as_ref().map(|resource| format!(" on {resource}")).unwrap_or_default();
        match refused {
            None => format!("Access key \"{key}\" acted for {on_behalf_of}{place}"),
            Some(cause) => format!(
                "Access key \"{key}\" was refused to act for {on_behalf_of}{place}: {}",
                cause.meaning()
            ),
        }
    }

    /// The entry for its repeats. Those of one day have the same id.
    pub fn entry(&self, repeats: Repeats) -> AuditEntry {
        let Self { service_account_uid, actor, key, key_id, on_behalf_of, resource, refused } = self;
        let cause = refused.map_or("", Cause::as_str);
        let place = resource.as_deref().unwrap_or_default();
        let day = repeats.last.format("%F");
        let occurrence = format!("{key_id}\n{on_behalf_of}\n{place}\n{cause}\n{day}");
        let reason = self.reason();
        AuditEntry {
            id: id(service_account_uid, reason, &occurrence),
            time: repeats.last,
            actor: cut(actor, 253),
            action: reason.action().into(),
            object: format!("AccessKey/{key}"),
            key_id: Some(key_id.clone()),
            reason: reason.as_str().into(),
            message: cut(&self.message(), 1024),
            on_behalf_of: Some(on_behalf_of.clone()),
            resource: resource.clone(),
            count: Some(saturating(repeats.count)),
        }
    }
}

/// `log` with `new` entries about acting folded in: counts of one id add up.
pub fn fold(log: &[AuditEntry], new: &[AuditEntry]) -> Vec<AuditEntry> {
    // The newest of one second last, so that it comes first once they are turned round.
    let mut all: Vec<AuditEntry> = log.iter().rev().cloned().collect();
    let mut places: HashMap<String, usize> =
        all.iter().enumerate().map(|(place, entry)| (entry.id.clone(), place)).collect();
    for entry in new {
        let known = places.get(&entry.id).and_then(|place| all.get_mut(*place));
        if let Some(known) = known {
            known.time = known.time.max(entry.time);
            known.count = Some(times(known).saturating_add(times(entry)));
        } else {
            places.insert(entry.id.clone(), all.len());
            all.push(entry.clone());
        }
    }
    all.reverse();
    all.sort_by_key(|entry| std::cmp::Reverse(entry.time));
    let mut acting = 0;
    all.retain(|entry| {
        acting += usize::from(is_acting(entry));
        !is_acting(entry) || acting <= ACTING_LOG
    });
    all.truncate(PARENT_LOG);
    all
}

/// How often what the entry tells has happened.
pub fn times(entry: &AuditEntry) -> i32 {
    entry.count.unwrap_or(1)
}

fn is_acting(entry: &AuditEntry) -> bool {
    [Reason::ActedOnBehalf, Reason::ActingRefused].iter().any(|reason| reason.as_str() == entry.reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use crate::domain::audit::entry::{Happening, Target};
    use proptest::prelude::*;

    fn act(person: &str) -> Act {
        Act {
            service_account_uid: "u".into(),
            actor: "keyward:team-a:ci".into(),
            key: "deploy".into(),
            key_id: "k".into(),
            on_behalf_of: person.into(),
            resource: Some("Process/expenses".into()),
            refused: None,
        }
    }

    fn repeats(count: usize, second: i64) -> Repeats {
        Repeats { count, last: DateTime::from_timestamp(second, 0).unwrap() }
    }

    fn other(second: i64) -> AuditEntry {
        let object = Target { kind: Kind::ServiceAccount, name: "ci".into(), uid: "u".into() };
        let reason = Reason::Inactive;
        let happening =
            Happening { reason, actor: "ann".into(), object, key_id: None, message: "off".into() };
        happening.entry(&second.to_string(), DateTime::from_timestamp(second, 0).unwrap())
    }

    #[test]
    fn an_entry_says_who_acted_for_whom_where() {
        let allowed = act("ann").entry(repeats(3, 60));
        assert_eq!(allowed.message, "Access key \"deploy\" acted for ann on Process/expenses");
        assert_eq!((allowed.count, allowed.on_behalf_of.as_deref()), (Some(3), Some("ann")));
        let refused = Act { refused: Some(Cause::ImpersonationDisabled), ..act("ann") };
        assert_eq!(
            refused.message(),
            "Access key \"deploy\" was refused to act for ann on Process/expenses: The grant on the resource does not \
             allow acting for others."
        );
        assert_ne!(refused.entry(repeats(1, 60)).id, allowed.id);
    }

    #[test]
    fn further_acts_are_told_by_number() {
        let others =
            Others { service_account_uid: "u", account: "team-a", service_account: "ci", refused: true };
        let entry = others.entry(repeats(7, 60));
        assert_eq!(entry.message, "Further requests for users were refused, too many to tell each");
        assert_eq!((entry.actor.as_str(), entry.object.as_str()), ("keyward:team-a:ci", "ServiceAccount/ci"));
        assert_eq!((entry.reason.as_str(), entry.count), ("ActingRefused", Some(7)));
        let let_in = Others { refused: false, ..others }.entry(repeats(7, 60));
        assert_eq!(let_in.message, "Acted for further users, too many to tell each");
        assert_ne!(let_in.id, entry.id);
        let folded = fold(&[entry], &[others.entry(repeats(2, 61))]);
        assert_eq!(folded.iter().map(|entry| entry.count).collect::<Vec<_>>(), [Some(9)]);
    }

    #[test]
    fn repeats_of_a_day_add_up_and_the_next_day_begins_anew() {
        let folded = fold(&[act("ann").entry(repeats(3, 60))], &[act("ann").entry(repeats(2, 50))]);
        assert_eq!(folded.iter().map(|e| (e.count, e.time.timestamp())).collect::<Vec<_>>(), [(Some(5), 60)]);
        let folded = fold(&folded, &[act("ann").entry(repeats(1, 86_400))]);
        assert_eq!(folded.iter().map(|e| e.count).collect::<Vec<_>>(), [Some(1), Some(5)]);
    }

    proptest! {
        #[test]
        fn acting_pushes_out_nothing_else(persons in 0usize..80, others in 0i64..30) {
            let log: Vec<_> = (0..others).rev().map(other).collect();
            let acts: Vec<_> = (0..persons).map(|n| act(&n.to_string()).entry(repeats(1, 1000))).collect();
            let folded = fold(&log, &acts);
            let kept = folded.iter().filter(|entry| !is_acting(entry)).count();
            prop_assert_eq!(kept, log.len());
            prop_assert_eq!(folded.len() - kept, persons.min(ACTING_LOG));
        }

        #[test]
        fn the_order_in_which_replicas_fold_does_not_change_the_counts(a in 1usize..9, b in 1usize..9) {
            let entry = |count, second| [act("ann").entry(repeats(count, second))];
            let one = fold(&fold(&[], &entry(a, 5)), &entry(b, 9));
            let other = fold(&fold(&[], &entry(b, 9)), &entry(a, 5));
            prop_assert_eq!(one, other);
        }
    }
}
