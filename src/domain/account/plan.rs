//! The steps that a decision about an account may ask for.

use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::rbac::v1::RoleBinding;

use crate::api::AccountStatus;
use crate::api::shared::AuditEntry;
use crate::domain::admins;
use crate::domain::change::Change;
use crate::domain::plan;
use crate::domain::refused::Step;

/// What to do about an account.
pub type Plan = plan::Plan<Action>;

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Tell it in an Event and a line of the audit stream.
    Audit(Box<AuditEntry>),
    /// Record it.
    WriteStatus(Box<AccountStatus>),
    /// Change a binding of its admins.
    Binding(Change<RoleBinding>),
    /// Change its quota.
    Quota(Change<ResourceQuota>),
}

impl Action {
    /// What it writes, apart from the record of it.
    pub fn step(&self) -> Option<Step> {
        match self {
            Self::Binding(change) => Some(match change.object().metadata.name.as_deref() {
                Some(admins::SUPER_ADMINS) => Step::SuperAdmins,
                _ => Step::IamAdmins,
            }),
            Self::Quota(_) => Some(Step::Quota),
            Self::Audit(_) | Self::WriteStatus(_) => None,
        }
    }
}
