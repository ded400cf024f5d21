//! Arguments that are names of objects in the cluster.

use clap::builder::ArgExt;

/// Marks an argument as the name of an object of that kind. `completion` offers the names that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameOf {
    ServiceAccount,
    AccessKey,
}

impl ArgExt for NameOf {}
