//! Bodies of requests and answers, within bounds.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited};
use hyper::body::Incoming;

use crate::runtime::server::Caller;
use crate::verifier::http::problem::Problem;

/// The body of every answer: whole, or gRPC's.
pub type Body = Either<Full<Bytes>, tonic::body::Body>;

/// The longest body of a request, in bytes. A token review is the largest, and has 2 kB.
pub(super) const LONGEST: usize = 64 * 1024;
/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The whole body of a request, within bounds. `caller` holds it.
///
/// # Errors
/// Where it is too long, too slow, or breaks off, or where there is no room for it.
pub(super) async fn whole(body: Incoming, caller: &Caller) -> Result<Bytes, Problem> {
    match tokio::time::timeout(TIMEOUT, collect(Limited::new(body, LONGEST), caller)).await {
        Ok(whole) => whole,
        Err(_) => Err(Problem::bad(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body must arrive within {} seconds", TIMEOUT.as_secs()),
        )),
    }
}

async fn collect(mut body: Limited<Incoming>, caller: &Caller) -> Result<Bytes, Problem> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| broken(&*error))?.into_data() else { continue };
        // Twice, since what it is put together in grows by doubling.
        if !caller.hold(2 * data.len()) {
            return Err(Problem::overloaded());
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

fn broken(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Problem {
    if error.is::<LengthLimitError>() {
        let detail = format!("the body may have at most {LONGEST} bytes");
        return Problem::bad(StatusCode::PAYLOAD_TOO_LARGE, detail);
    }
    Problem::bad(StatusCode::BAD_REQUEST, "the body broke off".into())
}
