//! The steps that a decision about a service account may ask for.

use k8s_openapi::api::rbac::v1::{Role, RoleBinding};

use crate::api::ServiceAccountStatus;
use crate::api::shared::AuditEntry;
use crate::domain::change::Change;
use crate::domain::plan;
use crate::domain::refused::Step;

/// What to do about a service account.
pub type Plan = plan::Plan<Action>;

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Create the namespace's `Account` with the built-in limits.
    CreateAccount,
    /// Tell it in an Event and a line of the audit stream.
    Audit(Box<AuditEntry>),
    /// Record it.
    WriteStatus(Box<ServiceAccountStatus>),
    /// Change the Role of its admins.
    Role(Change<Role>),
    /// Change the binding of its admins.
    Binding(Change<RoleBinding>),
}

impl Action {
    /// What it writes, apart from the record of it.
    pub fn step(&self) -> Option<Step> {
        match self {
            Self::CreateAccount => Some(Step::Account),
            Self::Role(_) | Self::Binding(_) => Some(Step::Admins),
            Self::Audit(_) | Self::WriteStatus(_) => None,
        }
    }
}
