//! What every write of use goes by: the client, the rate, and the counts.

use std::num::NonZeroU32;
use std::sync::Arc;

use governor::Quota;
use kube::Client;

use crate::runtime::client::CallError;
use crate::runtime::rate::{Rate, direct, ready};
use crate::verifier::check::checker::Checker;

/// The field manager of everything that the verifier writes.
pub(super) const FIELD_MANAGER: &str = "keyward-verifier";

/// Writes within a rate.
pub(super) struct Writer {
    pub(super) client: Client,
    pub(super) checker: Arc<Checker>,
    rate: Rate,
}

impl Writer {
    /// At most so many writes a second.
    pub(super) fn new(client: Client, checker: Arc<Checker>, writes_per_second: NonZeroU32) -> Self {
        let rate = direct(Quota::per_second(writes_per_second), checker.clock.clone());
        Self { client, checker, rate }
    }

    /// Waits until one more write is within the rate.
    pub(super) async fn turn(&self) {
        ready(&self.rate).await;
    }

    /// Counts a write that failed.
    pub(super) fn failed(&self, error: &CallError) {
        self.checker.metrics.failed_write(error.reason());
    }
}
