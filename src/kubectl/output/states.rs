//! States as a terminal shows them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::ConditionType;
use crate::api::access_key::KeyState;
use crate::api::service_account::ServiceAccountState;
use crate::kubectl::output::table::{Cell, Tone, paint};

/// The state of a service account.
pub fn service_account(state: Option<ServiceAccountState>) -> Cell {
    match state {
        Some(ServiceAccountState::Active) => Cell::new(Tone::Good, "Active"),
        Some(ServiceAccountState::Inactive) => Cell::new(Tone::Faint, "Inactive"),
        Some(ServiceAccountState::Rejected) => Cell::new(Tone::Bad, "Rejected"),
        None => Cell::new(Tone::Warn, "Pending"),
    }
}

/// The state of an access key.
pub fn access_key(state: Option<KeyState>) -> Cell {
    match state {
        Some(KeyState::Active) => Cell::new(Tone::Good, "Active"),
        Some(KeyState::Inactive) => Cell::new(Tone::Faint, "Inactive"),
        Some(KeyState::Expired) => Cell::new(Tone::Bad, "Expired"),
        Some(KeyState::Rejected) => Cell::new(Tone::Bad, "Rejected"),
        Some(KeyState::Pending) | None => Cell::new(Tone::Warn, "Pending"),
    }
}

/// How many keys expire soon, as a sentence goes on with it.
pub fn expiring(count: i32) -> String {
    match count {
        0 => String::new(),
        count => format!("; expiring: {}", paint(Tone::Warn, &format!("{count} within 30 days"))),
    }
}

/// Why the object is not ready, if it is not.
pub fn problem(conditions: &[Condition]) -> Option<String> {
    let ready = ConditionType::Ready.find(conditions)?;
    (ready.status != "True").then(|| reason(ready))
}

/// What a condition says.
pub fn reason(condition: &Condition) -> String {
    format!("{}: {}", condition.reason, condition.message)
}
