//! Decisions about access keys: observed, decided, planned. No client, no clock, and no token but as a value.

mod decide;
mod decision;
pub mod expiry;
mod messages;
mod observed;
mod plan;
pub mod publish;
pub mod record;
pub mod secret;
mod status;
mod token;
mod unused;

#[cfg(test)]
mod tests;

pub use decide::{needs_inspection, plan};
pub use observed::{FoundParent, GivenSeat, Key, Observed, OwnedSecret, Parent, ParentView, SecretView};
pub use plan::{Action, Issue, Plan};
pub use token::violation;
