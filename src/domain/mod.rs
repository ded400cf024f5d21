//! Values and decisions: no async, no client, no clock, no randomness. The same input gives the same answer.

pub mod access_key;
pub mod account;
pub mod acting;
pub mod admins;
pub mod associated;
pub mod audit;
pub mod change;
pub mod conditions;
pub mod digest;
pub mod expiry;
pub mod limits;
pub mod publishing;
pub mod quota;
pub mod reason;
pub mod reference;
pub mod resource_grant;
pub mod seats;
pub mod secret;
pub mod service_account;
pub mod snapshot;
pub mod text;
pub mod time;
pub mod token;
pub mod unused;
pub mod validity;
pub mod verdict;
