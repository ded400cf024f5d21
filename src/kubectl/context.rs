//! What every command is given.

use chrono::{DateTime, Utc};

use crate::kubectl::globals::Globals;
use crate::kubectl::output::screen::Terminal;

/// What every command is given.
pub struct Context {
    pub globals: Globals,
    pub terminal: Terminal,
    /// The time that the whole command goes by.
    pub now: DateTime<Utc>,
}
