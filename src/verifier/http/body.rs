//! Bodies of requests and answers, within bounds.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use zeroize::Zeroizing;

use crate::runtime::server::Caller;
use crate::verifier::http::problem::Problem;

/// The body of every answer: whole, or gRPC's.
pub type Body = Either<Full<Bytes>, tonic::body::Body>;

/// The longest body of a request, in bytes. A token review is the largest, and has 2 kB.
pub(super) const LONGEST: usize = 64 * 1024;
/// The longest message of gRPC. Envoy may be told to send along the body of the client's request, of which
/// nothing is read: 1 MiB of it has room.
pub(super) const LONGEST_MESSAGE: usize = 1024 * 1024 + LONGEST;
/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The whole body of a request, of at most `longest` bytes. `caller` holds it, and it is wiped from memory
/// when dropped.
///
/// # Errors
/// Where it is too long, too slow, or breaks off, or where there is no room for it.
pub(super) async fn whole(
    body: Incoming,
    longest: usize,
    caller: &Caller,
) -> Result<Zeroizing<Vec<u8>>, Problem> {
    match tokio::time::timeout(TIMEOUT, collect(Limited::new(body, longest), longest, caller)).await {
        Ok(whole) => whole,
        Err(_) => Err(Problem::bad(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body must arrive within {} seconds", TIMEOUT.as_secs()),
        )),
    }
}

async fn collect(
    mut body: Limited<Incoming>,
    longest: usize,
    caller: &Caller,
) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut whole = Zeroizing::new(Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| broken(&*error, longest))?.into_data() else { continue };
        // Twice, since what it is put together in grows by doubling.
        if !caller.hold(2 * data.len()) {
            return Err(Problem::overloaded());
        }
        append(&mut whole, &data);
    }
    Ok(whole)
}

/// Where there is no room for more, what was there is wiped rather than left behind. How long the body will
/// be is only believed as it arrives: no room is taken for what may never come.
fn append(whole: &mut Zeroizing<Vec<u8>>, data: &[u8]) {
    let length = whole.len() + data.len();
    if length > whole.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(length.max(2 * whole.capacity())));
        larger.extend_from_slice(whole);
        *whole = larger;
    }
    whole.extend_from_slice(data);
}

fn broken(error: &(dyn std::error::Error + Send + Sync + 'static), longest: usize) -> Problem {
    if error.is::<LengthLimitError>() {
        let detail = format!("the body may have at most {longest} bytes");
        return Problem::bad(StatusCode::PAYLOAD_TOO_LARGE, detail);
    }
    Problem::bad(StatusCode::BAD_REQUEST, "the body broke off".into())
}
