//! Steps about accounts.

use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Resource;

use crate::api::Account;
use crate::controller::apply::Applier;
use crate::controller::error::Error;
use crate::controller::watch::store::Written;
use crate::domain::account::Action;

/// One thing that was done.
#[derive(Debug)]
pub(in crate::controller) enum Done {
    /// An audit entry was written.
    Recorded,
    /// The account has this status now.
    Status(Box<Account>),
    /// A binding of its admins was changed.
    Binding(Written<RoleBinding>),
    /// Its quota was changed.
    Quota(Written<ResourceQuota>),
}

impl Applier {
    /// Carries out one step about an account.
    pub(in crate::controller) async fn account(
        &self,
        object: &Account,
        action: Action,
    ) -> Result<Done, Error> {
        Ok(match action {
            Action::Audit(entry) => {
                self.audit.record(&entry, object.object_ref(&())).await;
                Done::Recorded
            }
            Action::WriteStatus(status) => {
                Done::Status(Box::new(self.write_status(object, *status, &["usageRecordedSince"]).await?))
            }
            Action::Binding(change) => Done::Binding(self.change(change).await?),
            Action::Quota(change) => Done::Quota(self.change(change).await?),
        })
    }
}
