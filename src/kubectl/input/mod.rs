//! What users type, as values. Nothing here talks to the cluster.

pub mod subject;
