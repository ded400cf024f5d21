//! What every decision gives: steps in their order, and when to look again.

use chrono::{DateTime, Utc};

/// What to do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<Action> {
    /// The steps. Each may be the last one before a crash.
    pub actions: Vec<Action>,
    /// When to look again, if nothing happens before.
    pub look_again_at: Option<DateTime<Utc>>,
}

impl<Action> Plan<Action> {
    /// One step, and nothing after it before the object is looked at again.
    pub fn only(action: Action) -> Self {
        Self { actions: vec![action], look_again_at: None }
    }
}

impl<Action> Default for Plan<Action> {
    fn default() -> Self {
        Self { actions: Vec::new(), look_again_at: None }
    }
}
