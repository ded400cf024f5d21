//! The only reader for decisions: from the stores, and from the API server itself only where a store cannot
//! be sure, whether something seated or issued is really gone, and what a changed Secret holds. Nothing is
//! decided here.

mod access_key;
mod account;
mod observer;
mod service_account;

pub(super) use observer::Observer;
