//! `POST /v1/verify`: for applications, in JSON. `types` is what is documented, `reader` makes a request of a
//! body, and `endpoint` answers it.

mod endpoint;
mod reader;
mod types;

pub(super) use endpoint::answer;
pub use types::{VerifyRequest, VerifyResource, VerifyResponse};
