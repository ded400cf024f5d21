//! The way to the cluster, with the user's own kubeconfig and rights: reading, changing, following and
//! waiting. How an answer looks belongs in `output`, what a command does with it in `commands`.

pub mod changes;
pub mod client;
pub mod follow;
pub mod manifest;
pub mod object;
pub mod reads;
pub mod runtime;
pub mod wait;
pub mod warnings;
