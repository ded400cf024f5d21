//! A request as every endpoint hands it in.

use crate::domain::verdict::{BadRequest, Cause, Requirements};
use crate::verifier::check::client::Client;
use crate::verifier::check::endpoint::Endpoint;

/// A request for a verdict.
pub struct Request<'a> {
    /// Where it came in.
    pub endpoint: Endpoint,
    /// The credential, or why there is none.
    pub credential: Result<&'a str, Cause>,
    /// What it requires beside a good token, or why that cannot be meant.
    pub requirements: Result<Requirements, BadRequest>,
    /// Who sent it.
    pub client: Client,
    /// The id that the gateway or client gave the request; empty where it gave none.
    pub request_id: &'a str,
}
