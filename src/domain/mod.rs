//! Values and decisions: no async, no client, no clock, no randomness. The same input gives the same answer.

pub mod access_key;
pub mod account;
pub mod admins;
pub mod audit;
pub mod change;
pub mod conditions;
pub mod object;
pub mod plan;
pub mod refused;
pub mod resource_grant;
pub mod seats;
pub mod service_account;
pub mod value;
pub mod verdict;
