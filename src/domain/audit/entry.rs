//! Audit entries as values: what is said, under which id, and how the bounded logs in status are kept.

use chrono::{DateTime, Utc};

use crate::api::Kind;
use crate::api::reason::Reason;
use crate::api::shared::{AuditEntry, never_observed};
use crate::domain::value::digest::sha256_hex;
use crate::domain::value::text::{cut, one_line};

/// Who the controller says it is in an entry.
pub const CONTROLLER: &str = "controller";
/// The actor of a change that nothing vouches for.
pub const UNKNOWN: &str = "unknown";

/// What the verifier says it is.
pub const VERIFIER: &str = "verifier";
/// The longest actor, in bytes.
const ACTOR_LENGTH: usize = 253;

/// The user that admission stamped on an object, as entries name them. Nobody can take the name of a program.
pub fn user(stamp: Option<&str>) -> String {
    match stamp {
        None | Some("") => UNKNOWN.to_owned(),
        Some(name @ (CONTROLLER | VERIFIER | UNKNOWN)) => format!("user/{name}"),
        Some(name) => cut(&one_line(name), ACTOR_LENGTH),
    }
}

/// Whether an entry's actor is a user that admission vouches for.
pub fn is_user(actor: &str) -> bool {
    ![CONTROLLER, VERIFIER, UNKNOWN].contains(&actor)
}

/// Whether a reason is another than the `recorded` one of a status that was written for
/// `observed_generation`. Where that has none, though a controller wrote it, another version did: what it
/// said is not known, and so not whether this is new.
pub fn is_new(reason: Reason, recorded: Option<Reason>, observed_generation: i64) -> bool {
    recorded.map_or(observed_generation == never_observed(), |recorded| recorded != reason)
}

/// The longest note that an Event may have, in bytes.
const NOTE_LENGTH: usize = 1024;

/// An object that entries speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its UID, or where it is gone the UID it had.
    pub uid: String,
}

impl Target {
    /// Kind and name, as entries show them.
    pub fn label(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

/// What happened, before it has an id and a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Why.
    pub reason: Reason,
    /// Who did it.
    pub actor: String,
    /// What it was done to.
    pub object: Target,
    /// Public id of the key concerned.
    pub key_id: Option<String>,
    /// The same as a sentence.
    pub message: String,
}

impl Happening {
    /// The entry for it. `occurrence` tells repeats of the same reason on one object apart; a retry after a
    /// crash computes the same one, so the entry's id, and with it the Event's name, is the same again.
    pub fn entry(&self, occurrence: &str, now: DateTime<Utc>) -> AuditEntry {
        let Self { reason, actor, object, key_id, message } = self;
        AuditEntry {
            id: id(&object.uid, *reason, occurrence),
            time: now,
            actor: actor.clone(),
            action: reason.action().into(),
            object: object.label(),
            key_id: key_id.clone(),
            reason: reason.as_str().into(),
            message: cut(message, NOTE_LENGTH),
            on_behalf_of: None,
            resource: None,
            count: None,
        }
    }
}

/// The id of an entry of that reason about the object of that UID; the same `occurrence` gives the same id.
pub fn id(uid: &str, reason: Reason, occurrence: &str) -> String {
    sha256_hex(format!("{uid}\n{reason}\n{occurrence}").as_bytes()).chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_gives_the_same_id_and_a_repeat_another() {
        let happening = |reason| Happening {
            reason,
            actor: CONTROLLER.into(),
            object: Target { kind: Kind::AccessKey, name: "deploy".into(), uid: "u".into() },
            key_id: None,
            message: String::new(),
        };
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let first = happening(Reason::Issued).entry("1", at(1));
        assert_eq!(first.id, happening(Reason::Issued).entry("1", at(2)).id);
        assert_ne!(first.id, happening(Reason::Issued).entry("2", at(1)).id);
        assert_ne!(first.id, happening(Reason::Expired).entry("1", at(1)).id);
    }

    #[test]
    fn a_person_is_named_as_admission_stamped_them_and_cannot_pass_for_a_program() {
        for (stamp, actor) in [
            (None, "unknown"),
            (Some(""), "unknown"),
            (Some("alice"), "alice"),
            (Some("controller"), "user/controller"),
            (Some("unknown"), "user/unknown"),
            (Some("a\nb"), "a b"),
        ] {
            assert_eq!(user(stamp), actor);
        }
        assert!(user(Some(&"x".repeat(400))).len() <= ACTOR_LENGTH);
    }

    #[test]
    fn a_reason_is_new_where_the_recorded_one_is_known_and_another() {
        for (recorded, observed_generation, new) in [
            (None, -1, true),
            (None, 3, false),
            (Some(Reason::Issued), 3, false),
            (Some(Reason::Expired), 3, true),
        ] {
            assert_eq!(
                is_new(Reason::Issued, recorded, observed_generation),
                new,
                "{recorded:?} for {observed_generation}"
            );
        }
    }
}
