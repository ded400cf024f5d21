//! What the decision about an access key reads.

use chrono::{DateTime, Utc};

use crate::api::AccessKeySpec;
use crate::api::access_key::AccessKeyStatus;
use crate::api::shared::DesiredState;
use crate::domain::access_key::publish::secrets::Published;
use crate::domain::access_key::secret::{Holds, Owner, Record};
use crate::domain::access_key::unused::policy;
use crate::domain::account::limits::Limits;
use crate::domain::audit::entry::Target;
use crate::domain::audit::reason::Reason;

/// Everything that the decision about one key reads.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The key.
    pub key: Key,
    /// Its service account.
    pub service_account: Parent,
    /// The limits of its account.
    pub limits: Limits,
    /// The policy of its account about unused keys.
    pub unused: Option<policy::Policy>,
    /// Since when its use is recorded.
    pub usage_recorded_since: Option<DateTime<Utc>>,
    /// Its Secret.
    pub secret: SecretView,
    /// The admins of another service account may still read a Secret of that name: one that was there before.
    pub name_granted: bool,
    /// Its published Secrets.
    pub published: Published,
}

/// The key itself.
#[derive(Clone, Debug)]
pub struct Key {
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
    /// What it asks for.
    pub spec: AccessKeySpec,
    /// What was recorded.
    pub status: AccessKeyStatus,
}

impl Key {
    /// The key as the owner of its Secret.
    pub fn owner(&self) -> Owner<'_> {
        Owner { spec: &self.spec, name: &self.name, account: &self.namespace }
    }

    pub(super) fn target(&self) -> Target {
        Target { kind: "AccessKey", name: self.name.clone(), uid: self.uid.clone() }
    }
}

/// The service account that a key names.
#[derive(Clone, Debug)]
pub enum Parent {
    /// There is none, and the key was issued for none.
    Missing,
    /// The one that the key was issued for is gone; one of the same name may exist.
    Gone,
    /// It exists.
    Found(FoundParent),
}

/// A service account that exists.
#[derive(Clone, Debug)]
pub struct FoundParent {
    /// Its UID.
    pub uid: String,
    /// Who changed its spec last, as entries name them.
    pub changed_by: String,
    /// Whether a person switched it off.
    pub state: DesiredState,
    /// Whether its account admits it.
    pub admission: Admission,
    /// Whether it has given the key a seat.
    pub seated: bool,
    /// How many seats it has given.
    pub seats_taken: usize,
    /// Keys it names as ones that could go.
    pub removable: Vec<String>,
}

/// Whether an account admits a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It has a seat.
    Admitted,
    /// Nothing is decided yet.
    Undecided,
    /// It was refused, for this reason.
    Rejected(Reason, String),
}

/// The Secret of the key's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretView {
    /// There is none.
    Absent,
    /// It does not belong to the key.
    Foreign,
    /// Keyward made it for a key that is gone, and nobody owns it: most restores from a backup leave such Secrets.
    LeftBehind {
        /// Its UID.
        uid: String,
    },
    /// It belongs to the key.
    Owned(OwnedSecret),
}

/// A Secret that belongs to the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedSecret {
    /// Its version.
    pub resource_version: String,
    /// What its annotations record.
    pub record: Option<Record>,
    /// What it holds.
    pub holds: Holds,
}
