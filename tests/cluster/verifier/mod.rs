//! The verifier: who is let in, who is not, and what is recorded of it.

mod acting;
mod clients;
mod last_used;
mod limits;
mod openapi;
mod verdict;
