//! Waiting for something to become true.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until `look` gives a value; what it gives instead is shown when patience ends.
pub async fn eventually<T, E: Debug>(what: &str, look: impl AsyncFnMut() -> Result<T, E>) -> T {
    within(PATIENCE, what, look).await
}

/// As [`eventually`], with another patience.
pub async fn within<T, E: Debug>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let start = Instant::now();
    loop {
        match look().await {
            Ok(value) => return value,
            Err(found) => assert!(start.elapsed() < patience, "not in time: {what}; found {found:#?}"),
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
