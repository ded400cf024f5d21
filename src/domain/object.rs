//! What every decision reads of the object that it is about. Where it comes from a watch, it is read here and
//! nowhere else.

use chrono::{DateTime, Utc};
use kube::{Resource, ResourceExt};

use crate::api::names;
use crate::domain::audit;
use crate::domain::value::time::from_kube;

/// An object's metadata, as decisions use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its namespace, which is its account.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Its `metadata.generation`.
    pub generation: i64,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// It is being deleted, and something still holds it.
    pub deleting: bool,
    /// The version it was observed at.
    pub resource_version: String,
    /// Who changed its spec last, as entries name them.
    pub changed_by: String,
}

impl Object {
    /// The metadata of `object`.
    pub fn of(object: &impl Resource, stamps: Stamps) -> Self {
        Self {
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            uid: object.uid().unwrap_or_default(),
            generation: object.meta().generation.unwrap_or_default(),
            created: created(object),
            deleting: object.meta().deletion_timestamp.is_some(),
            resource_version: object.resource_version().unwrap_or_default(),
            changed_by: stamps.changed_by(object),
        }
    }

    /// The version it was observed at, as a number.
    pub fn version(&self) -> i64 {
        parse_version(&self.resource_version)
    }
}

/// The resource version of `object` as a number.
pub fn version(object: &impl Resource) -> i64 {
    object.meta().resource_version.as_deref().map(parse_version).unwrap_or_default()
}

/// Kubernetes has resource versions compared as decimal numbers (KEP-5504), and etcd counts one up for every
/// write of any object. 0 for what is none, which is earlier than all.
fn parse_version(version: &str) -> i64 {
    version.parse().unwrap_or_default()
}

/// When an object was created; the beginning of 1970 where it does not say.
pub fn created(object: &impl Resource) -> DateTime<Utc> {
    object.meta().creation_timestamp.as_ref().map(from_kube).unwrap_or_default()
}

/// Whether the annotations that name who created and changed an object can be believed: only where admission
/// writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamps {
    /// Admission overwrites it with the user of each change.
    Trusted,
    /// Anybody may have written it.
    Ignored,
}

impl Stamps {
    /// Who changed the object's spec last, as entries name them.
    pub fn changed_by(self, object: &impl ResourceExt) -> String {
        self.user(object, names::CHANGED_BY)
    }

    /// Who created the object, as entries name them.
    pub fn created_by(self, object: &impl ResourceExt) -> String {
        self.user(object, names::CREATED_BY)
    }

    fn user(self, object: &impl ResourceExt, annotation: &str) -> String {
        let stamp = match self {
            Self::Trusted => object.annotations().get(annotation),
            Self::Ignored => None,
        };
        audit::user(stamp.map(String::as_str))
    }
}
