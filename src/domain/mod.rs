//! Values and decisions: no async, no client, no clock, no randomness. The same input gives the same answer.

pub mod access_key;
pub mod account;
pub mod audit;
pub mod conditions;
pub mod digest;
pub mod limits;
pub mod reason;
pub mod reference;
pub mod seats;
pub mod secret;
pub mod service_account;
pub mod time;
pub mod token;
pub mod validity;
