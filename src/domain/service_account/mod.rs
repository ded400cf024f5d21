//! Decisions about service accounts: admission, seats of keys, admins and grants. No client, no clock.

mod access;
mod admission;
pub mod associated;
mod decide;
mod entries;
mod observed;
mod plan;
mod status;

#[cfg(test)]
mod tests;

pub use admission::{Admission, admission, wanted_display_name};
pub use decide::{plan, seat_serial};
pub use observed::{AccountView, GrantView, KeyView, Observed, ObservedKey};
pub use plan::{Action, Plan};
