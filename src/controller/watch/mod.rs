//! What is heard of the cluster: the stores, the queues, and which objects a change concerns. Nothing is
//! decided or written here.

pub(super) mod feed;
pub(super) mod queue;
pub(super) mod store;
pub(super) mod triggers;
