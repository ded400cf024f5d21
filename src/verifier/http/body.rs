//! Bodies of requests and answers, within bounds.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited};
use hyper::body::Incoming;

use crate::verifier::http::problem::Problem;

/// The body of every answer: whole, or gRPC's.
pub type Body = Either<Full<Bytes>, tonic::body::Body>;

/// The longest body of a request, in bytes. A token review is the largest, and has 2 kB.
pub(super) const LONGEST: usize = 64 * 1024;
/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The whole body of a request, within bounds.
///
/// # Errors
/// Where it is too long, too slow, or breaks off.
pub(super) async fn whole(request: Request<Incoming>) -> Result<Bytes, Problem> {
    let whole = Limited::new(request.into_body(), LONGEST).collect();
    match tokio::time::timeout(TIMEOUT, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::bad(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body may have at most {LONGEST} bytes"),
        )),
        Ok(Err(_)) => Err(Problem::bad(StatusCode::BAD_REQUEST, "the body broke off".into())),
        Err(_) => Err(Problem::bad(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body must arrive within {} seconds", TIMEOUT.as_secs()),
        )),
    }
}
