//! The endpoints: each reads a request, has it checked, and writes the answer. No decision comes in: what is
//! let in is for `check` to say, and what one endpoint says of it no other has to know.

mod body;
mod credential;
mod endpoints;
mod forward;
mod grpc;
mod identity;
pub mod openapi;
mod problem;
mod profile;
pub mod reference;
mod token_review;
mod verify;

pub use body::Body;
pub use endpoints::Endpoints;
pub use verify::{VerifyRequest, VerifyResource, VerifyResponse};

#[cfg(test)]
mod tests;
