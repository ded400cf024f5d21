//! How things look: tables, times, states, and what goes to standard output and standard error. Nothing here
//! talks to the cluster.

pub mod format;
pub mod hint;
pub mod icon;
pub mod log;
pub mod screen;
pub mod states;
pub mod table;
pub mod times;
