//! The one place that reads the time.

use chrono::{DateTime, Utc};

/// Now, with its fraction of a second.
#[allow(clippy::disallowed_methods, reason = "this is where decisions get their time from")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
