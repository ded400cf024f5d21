//! The one server of every port: connections within bounds, one budget for the memory that all of them hold,
//! and time to finish at shutdown. What is answered is for others to say.

mod caller;
mod memory;
mod port;

pub use caller::Caller;
pub use port::{Answers, Bounds, Counts, Server};
