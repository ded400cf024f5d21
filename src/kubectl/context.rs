//! What every command is given.

use chrono::{DateTime, Utc};

use crate::kubectl::globals::Globals;
use crate::kubectl::output::screen::Look;

/// What every command is given.
pub struct Context {
    pub globals: Globals,
    pub look: Look,
    /// The time that the whole command goes by.
    pub now: DateTime<Utc>,
}
