//! What the decision about a service account reads: itself, and of its account, keys and grants what the
//! views have. A change of a view is what has the service account looked at again.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};

use crate::api::access_key::AccessKeyStatus;
use crate::api::shared::{DesiredState, Seat, Subject};
use crate::api::{
    AccessKey, AccessKeySpec, Account, Kind, ResourceGrant, ResourceGrantSpec, ServiceAccountSpec,
    ServiceAccountStatus,
};
use crate::domain::access_key;
use crate::domain::account;
use crate::domain::account::limits::Limits;
use crate::domain::account::policy::AccountPolicy;
use crate::domain::admins::{self, Owner};
use crate::domain::audit::entry::Target;
use crate::domain::object::{Object, Stamps, created, version};
use crate::domain::refused::Failed;

/// Everything that the decision about one service account reads.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its metadata.
    pub object: Object,
    /// What it asks for.
    pub spec: ServiceAccountSpec,
    /// What was recorded.
    pub status: ServiceAccountStatus,
    /// Its account; `None` where there is none yet.
    pub account: Option<AccountView>,
    /// The keys that name it.
    pub keys: Vec<ObservedKey>,
    /// UIDs of seated keys that are known to be gone.
    pub gone: Vec<String>,
    /// The resource grants that name it.
    pub grants: Vec<GrantView>,
    /// The Role of its admins, where there is one.
    pub role: Option<Role>,
    /// The binding of its admins, where there is one.
    pub binding: Option<RoleBinding>,
    /// What could not be done in this pass.
    pub failed: Failed,
}

impl Observed {
    pub(super) fn owner(&self) -> Owner<'_> {
        let Object { namespace, name, uid, .. } = &self.object;
        Owner { kind: Kind::ServiceAccount, namespace, name, uid }
    }

    pub(super) fn target(&self) -> Target {
        Target { kind: Kind::ServiceAccount, name: self.object.name.clone(), uid: self.object.uid.clone() }
    }

    /// The key of that UID. Its view is not made for the others: a service account may have a thousand.
    pub(super) fn key(&self, uid: &str) -> Option<&ObservedKey> {
        self.keys.iter().find(|key| key.object.metadata.uid.as_deref() == Some(uid))
    }

    /// The admins that RBAC has bound.
    pub(super) fn bound_admins(&self) -> Vec<Subject> {
        admins::bound(self.spec.admins.as_deref().unwrap_or_default(), self.binding.as_ref())
    }
}

/// What a service account reads of one of its resource grants.
#[derive(Clone, Debug, PartialEq)]
pub struct GrantView {
    /// What it gives.
    pub spec: ResourceGrantSpec,
    /// Who changed it last, as entries name them.
    pub changed_by: String,
}

impl GrantView {
    /// What a service account reads of `object`.
    pub fn of(object: &ResourceGrant, stamps: Stamps) -> Self {
        Self { spec: object.spec.clone(), changed_by: stamps.changed_by(object) }
    }
}

/// What a service account reads of its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// The policy in force.
    pub policy: AccountPolicy,
    /// The admitted service accounts.
    pub seats: Vec<Seat>,
}

impl AccountView {
    /// What a service account reads of `object`.
    pub fn of(object: &Account) -> Self {
        Self { policy: AccountPolicy::of(object), seats: account::seats(object).to_vec() }
    }
}

/// What a service account reads of one of its keys. Borrowed, since each change of a key compares two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeyView<'a> {
    /// UID of the key.
    pub uid: &'a str,
    /// Name of the key.
    pub name: &'a str,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// What it asks for.
    pub spec: &'a AccessKeySpec,
    /// What was recorded.
    pub status: &'a AccessKeyStatus,
    /// The serial in its status. One that is not below the key's version was not counted by the controller,
    /// and is left out.
    pub serial: Option<i64>,
}

impl<'a> KeyView<'a> {
    /// What a service account reads of `object`.
    pub fn of(object: &'a AccessKey) -> Self {
        static UNRECORDED: LazyLock<AccessKeyStatus> = LazyLock::new(AccessKeyStatus::default);
        let status = object.status.as_ref().unwrap_or(&UNRECORDED);
        Self {
            uid: object.metadata.uid.as_deref().unwrap_or_default(),
            name: object.metadata.name.as_deref().unwrap_or_default(),
            created: created(object),
            spec: &object.spec,
            status,
            serial: status.serial.filter(|serial| *serial < version(object)),
        }
    }

    /// Whether a seat may have to be given or freed for the difference: more than what was recorded differs.
    pub fn differs_beyond_status(self, other: Self) -> bool {
        let Self { uid, name, created, spec, status: _, serial: _ } = self;
        (uid, name, created, spec) != (other.uid, other.name, other.created, other.spec)
    }
}

/// A key with what is known of its Secret.
#[derive(Clone, Debug)]
pub struct ObservedKey {
    /// Not copied, and read through its view alone.
    object: Arc<AccessKey>,
    /// The Secret that it owns, where there is one.
    pub secret: Option<String>,
    /// That Secret records a token.
    pub secret_has_record: bool,
    /// Who created it, as entries name them.
    pub created_by: String,
}

impl ObservedKey {
    /// A key, the Secret that it owns, and whether that records a token.
    pub fn new(
        object: Arc<AccessKey>,
        secret: Option<String>,
        secret_has_record: bool,
        stamps: Stamps,
    ) -> Self {
        let created_by = stamps.created_by(object.as_ref());
        Self { object, secret, secret_has_record, created_by }
    }

    /// What the service account reads of it.
    pub fn view(&self) -> KeyView<'_> {
        KeyView::of(&self.object)
    }

    /// It has a token, in its status or in its Secret.
    pub(super) fn issued(&self) -> bool {
        self.view().status.token.is_some() || self.secret_has_record
    }

    /// Nothing but a seat keeps it from a token.
    pub(super) fn eligible(&self, limits: &Limits, now: DateTime<Utc>) -> bool {
        let KeyView { spec, .. } = self.view();
        spec.state == DesiredState::Active && access_key::violation(spec, limits, now).is_none()
    }
}
