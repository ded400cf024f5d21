//! Whether an account admits a service account, and under which display name.

use crate::api::shared::Seat;
use crate::api::{Reason, ServiceAccountSpec};
use crate::domain::account::limits::Limits;

/// Whether an account admits a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It has a seat.
    Admitted,
    /// Nothing is decided yet.
    Undecided,
    /// It was refused, for this reason.
    Rejected(Reason, String),
}

/// The display name that a service account asks for.
pub fn wanted_display_name<'a>(spec: &'a ServiceAccountSpec, name: &'a str) -> &'a str {
    spec.display_name.as_deref().unwrap_or(name)
}

/// Whether an account with these limits and seats admits the service account with `uid` that wants
/// `display_name`.
pub fn admission(account: Option<(&Limits, &[Seat])>, uid: &str, display_name: &str) -> Admission {
    let Some((limits, seats)) = account else {
        return Admission::Undecided;
    };
    if seats.iter().any(|seat| seat.uid == uid) {
        return Admission::Admitted;
    }
    if let Some(message) = name_conflict(seats, uid, display_name) {
        return Admission::Rejected(Reason::DuplicateDisplayName, message);
    }
    if seats.len() < limits.service_accounts {
        return Admission::Undecided;
    }
    let message = format!(
        "the account already has {} of {} service accounts; delete one to proceed",
        seats.len(),
        limits.service_accounts
    );
    Admission::Rejected(Reason::ServiceAccountLimitExceeded, message)
}

/// The display name is held by another service account: who that is, as a sentence.
pub(super) fn name_conflict(seats: &[Seat], uid: &str, display_name: &str) -> Option<String> {
    let folded = display_name.to_lowercase();
    let holder = seats.iter().find(|seat| {
        seat.uid != uid && seat.display_name.as_ref().is_some_and(|name| name.to_lowercase() == folded)
    })?;
    Some(format!(
        "display name \"{display_name}\" (spec.displayName) is held by ServiceAccount.iam.keyward.dev \"{}\"; choose one that no \
         other service account of the account has, without regard to upper and lower case",
        holder.name
    ))
}
