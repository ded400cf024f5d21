//! Decisions about accounts: who is admitted, which policy holds, what all service accounts are at a glance.
//! No client, no clock.

mod decide;
mod entries;
pub mod limits;
mod observed;
mod plan;
pub mod policy;
pub mod publishing;
pub mod quota;
mod seating;
pub mod snapshot;
mod status;
pub mod unused;

#[cfg(test)]
mod tests;

pub use decide::plan;
pub use observed::{Observed, QuotaView, ServiceAccountView, seats};
pub use plan::{Action, Plan};
