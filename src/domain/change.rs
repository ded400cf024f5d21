//! How a whole object in the cluster becomes the one that is wanted.

/// One write that does it.
#[derive(Clone, Debug, PartialEq)]
pub enum Change<K> {
    /// There is none yet.
    Create(Box<K>),
    /// It differs.
    Replace(Box<K>),
    /// It is there, and none is wanted.
    Delete(Box<K>),
}

impl<K> Change<K> {
    /// The object as it is wanted, or the one that is not.
    pub fn object(&self) -> &K {
        match self {
            Self::Create(object) | Self::Replace(object) | Self::Delete(object) => object,
        }
    }
}

/// What makes `found` into `wanted`; `None` where `alike` says that it is.
pub fn change<K: Clone>(
    wanted: Option<K>,
    found: Option<&K>,
    alike: impl Fn(&K, &K) -> bool,
) -> Option<Change<K>> {
    match (wanted, found) {
        (None, None) => None,
        (None, Some(found)) => Some(Change::Delete(Box::new(found.clone()))),
        (Some(wanted), None) => Some(Change::Create(Box::new(wanted))),
        (Some(wanted), Some(found)) => (!alike(&wanted, found)).then(|| Change::Replace(Box::new(wanted))),
    }
}
