//! Steps about service accounts.

use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::Resource;

use crate::api::{ACCOUNT_NAME, Account, AccountSpec, Kind, ServiceAccount};
use crate::controller::apply::Applier;
use crate::controller::error::Error;
use crate::controller::field_manager::post;
use crate::controller::watch::store::Written;
use crate::domain::service_account::Action;
use crate::runtime::client::{CallError, bounded};

/// One thing that was done.
#[derive(Debug)]
pub(in crate::controller) enum Done {
    /// The namespace has an `Account` now.
    AccountCreated,
    /// An audit entry was written.
    Recorded,
    /// The service account has this status now.
    Status(Box<ServiceAccount>),
    /// The Role of its admins was changed.
    Role(Written<Role>),
    /// The binding of its admins was changed.
    Binding(Written<RoleBinding>),
}

impl Applier {
    /// Carries out one step about a service account.
    pub(in crate::controller) async fn service_account(
        &self,
        object: &ServiceAccount,
        action: Action,
    ) -> Result<Done, Error> {
        Ok(match action {
            Action::CreateAccount => {
                self.create_account(object).await?;
                Done::AccountCreated
            }
            Action::Audit(entry) => {
                self.audit.record(&entry, object.object_ref(&())).await;
                Done::Recorded
            }
            Action::WriteStatus(status) => {
                Done::Status(Box::new(self.write_status(object, *status, &[]).await?))
            }
            Action::Role(change) => Done::Role(self.change(change).await?),
            Action::Binding(change) => Done::Binding(self.change(change).await?),
        })
    }

    async fn create_account(&self, beside: &ServiceAccount) -> Result<(), CallError> {
        let account = Account::new(ACCOUNT_NAME, AccountSpec::default());
        let accounts = self.beside::<Account>(beside);
        match bounded("create Account", accounts.create(&post(), &account)).await {
            Err(error) if error.is_already_exists() => Ok(()),
            created => {
                created?;
                self.metrics.wrote(Kind::Account);
                Ok(())
            }
        }
    }
}
