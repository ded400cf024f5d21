//! What users type or are asked, as values. Nothing here talks to the cluster.

pub mod name;
pub mod prompt;
pub mod span;
pub mod subject;
