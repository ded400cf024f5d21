//! Names and versions of objects, as the feed gives them.

use std::sync::Arc;

use crate::verifier::index::entry::Key;

/// An object of one kind: its namespace and name.
pub type ObjectName = (String, String);

/// Which object it is, and at what version.
#[derive(Clone, Copy, Default)]
pub struct Version<'a> {
    /// UID of the object.
    pub uid: &'a str,
    /// Its `resourceVersion`.
    pub resource_version: &'a str,
}

/// A key at the version that was received last.
#[derive(Debug)]
pub struct KeyVersion {
    /// The key.
    pub key: Arc<Key>,
    /// Its `resourceVersion`.
    pub resource_version: Box<str>,
    /// When it was last used, as recorded, in seconds since 1970; 0 where nothing is.
    pub last_used: i64,
}
