//! Waiting for something to become true.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use keyward_dev::PATIENCE;

/// Waits until `look` gives a value; what it gives instead is shown when patience ends.
pub async fn eventually<T, E: Debug>(what: &str, mut look: impl AsyncFnMut() -> Result<T, E>) -> T {
    let start = Instant::now();
    loop {
        match look().await {
            Ok(value) => return value,
            Err(found) => assert!(start.elapsed() < PATIENCE, "not in time: {what}; found {found:#?}"),
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
