//! What the decision about an account reads: the account, and of its service accounts what
//! [`ServiceAccountView`] has. A service account whose view changed is looked at again by its account.

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::ResourceExt;

use crate::api::account::SnapshotItem;
use crate::api::shared::{AuditEntry, Seat, Subject};
use crate::api::{ACCOUNT_NAME, Account, AccountSpec, AccountStatus, Kind, Reason, ServiceAccount};
use crate::domain::account::policy::AccountPolicy;
use crate::domain::admins::{self, Owner};
use crate::domain::audit::entry::Target;
use crate::domain::object::{Object, Stamps, created};
use crate::domain::refused::Failed;
use crate::domain::service_account::wanted_display_name;

/// Everything that the decision about one account reads.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its metadata.
    pub object: Object,
    /// What it asks for.
    pub spec: AccountSpec,
    /// The policy in force.
    pub policy: AccountPolicy,
    /// What was recorded.
    pub status: AccountStatus,
    /// The service accounts of the namespace.
    pub service_accounts: Vec<ServiceAccountView>,
    /// UIDs of seated service accounts that are known to be gone.
    pub gone: Vec<String>,
    /// The binding of its super admins, where there is one.
    pub super_admins: Option<RoleBinding>,
    /// The binding of its IAM admins, where there is one.
    pub iam_admins: Option<RoleBinding>,
    /// Its quota.
    pub quota: QuotaView,
    /// What could not be done in this pass.
    pub failed: Failed,
}

impl Observed {
    pub(super) fn owner(&self) -> Owner<'_> {
        let Object { namespace, uid, .. } = &self.object;
        Owner { kind: Kind::Account, namespace, name: ACCOUNT_NAME, uid }
    }

    pub(super) fn target(&self) -> Target {
        Target { kind: Kind::Account, name: ACCOUNT_NAME.into(), uid: self.object.uid.clone() }
    }

    /// The super admins that are bound by RBAC.
    pub(super) fn bound_super_admins(&self) -> Vec<Subject> {
        bound(self.spec.super_admins.as_ref(), self.super_admins.as_ref())
    }

    /// The IAM admins that are bound by RBAC.
    pub(super) fn bound_iam_admins(&self) -> Vec<Subject> {
        bound(self.spec.iam_admins.as_ref(), self.iam_admins.as_ref())
    }
}

fn bound(required: Option<&Vec<Subject>>, found: Option<&RoleBinding>) -> Vec<Subject> {
    admins::bound(required.map(Vec::as_slice).unwrap_or_default(), found)
}

/// The quota on service accounts.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time, and not for long")]
pub enum QuotaView {
    /// None is to be kept.
    Unwanted,
    /// One is to be kept: the one that is there.
    Wanted(Option<ResourceQuota>),
}

/// What an account reads of one of its service accounts.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceAccountView {
    /// UID of the service account.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// The display name it asks for.
    pub display_name: String,
    /// The display name it was recorded to hold.
    pub held_name: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// It has admitted keys, so it was admitted itself.
    pub issued: bool,
    /// Entries of its own log that report a refusal.
    pub refusals: Vec<AuditEntry>,
    /// Who created it, as entries name them.
    pub created_by: String,
    /// It as the snapshot shows it.
    pub at_a_glance: SnapshotItem,
}

impl ServiceAccountView {
    /// What an account reads of `object`.
    pub fn of(object: &ServiceAccount, stamps: Stamps) -> Self {
        let name = object.name_any();
        let status = object.status.as_ref();
        Self {
            uid: object.uid().unwrap_or_default(),
            display_name: wanted_display_name(&object.spec, &name).to_owned(),
            created: created(object),
            held_name: status.and_then(|status| status.display_name.clone()),
            issued: status.is_some_and(|status| !status.seats.is_empty()),
            refusals: refusals(object),
            created_by: stamps.created_by(object),
            at_a_glance: at_a_glance(object),
            name,
        }
    }

    /// Whether more than what the snapshot shows differs: an account that waits to write its snapshot must
    /// not wait for it.
    pub fn differs_beyond_snapshot(&self, other: &Self) -> bool {
        *self != Self { at_a_glance: self.at_a_glance.clone(), ..other.clone() }
    }

    /// The name under which it is admitted. One that was admitted before, and whose seat is lost, gets the
    /// one back that it held: another may have the one it asks for now.
    pub(super) fn name_to_hold(&self) -> &str {
        self.held_name.as_deref().filter(|_| self.issued).unwrap_or(&self.display_name)
    }
}

fn at_a_glance(object: &ServiceAccount) -> SnapshotItem {
    let name = object.name_any();
    let status = object.status.as_ref();
    SnapshotItem {
        display_name: status
            .and_then(|status| status.display_name.clone())
            .unwrap_or_else(|| wanted_display_name(&object.spec, &name).to_owned()),
        name,
        icon: object.spec.icon,
        state: status.and_then(|status| status.state),
        last_accessed_at: status.and_then(|status| status.last_accessed_at),
        keys: status.and_then(|status| status.keys.clone()),
        admins: status.and_then(|status| status.admin_names.clone()),
    }
}

fn refusals(object: &ServiceAccount) -> Vec<AuditEntry> {
    let log = object.status.as_ref().map(|status| status.audit_log.as_slice()).unwrap_or_default();
    let own = format!("{}/{}", Kind::ServiceAccount, object.name_any());
    let refused = |entry: &&AuditEntry| {
        entry.object == own && entry.action == Reason::ServiceAccountLimitExceeded.action()
    };
    log.iter().filter(refused).cloned().collect()
}

/// The seats that an account has given.
pub fn seats(account: &Account) -> &[Seat] {
    account.status.as_ref().map(|status| status.seats.as_slice()).unwrap_or_default()
}
