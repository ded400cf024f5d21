//! What of a line that is not finished is understood, and which arguments have candidates.

mod line;
mod names;
