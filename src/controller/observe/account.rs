//! What the decision about an account reads.

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use crate::api::{Account, ServiceAccount};
use crate::controller::observe::Observer;
use crate::domain::account::policy::AccountPolicy;
use crate::domain::account::{Observed, QuotaView, ServiceAccountView, quota};
use crate::domain::admins;
use crate::domain::object::Object;
use crate::domain::refused::Failed;
use crate::runtime::client::CallError;

impl Observer {
    /// What the decision about an account reads.
    pub(in crate::controller) async fn account(&self, object: &Account) -> Result<Observed, CallError> {
        let namespace = object.namespace().unwrap_or_default();
        let names: Vec<String> =
            self.world.relations.lock().service_accounts.names(&namespace).cloned().collect();
        let service_accounts: Vec<ServiceAccountView> = names
            .iter()
            .filter_map(|name| self.world.service_accounts.get(&ObjectRef::new(name).within(&namespace)))
            .map(|object| ServiceAccountView::of(&object, self.stamps))
            .collect();
        let status = object.status.clone().unwrap_or_default();
        let uids: Vec<&str> = service_accounts.iter().map(|view| view.uid.as_str()).collect();
        let gone =
            self.gone::<ServiceAccount>("read service account", &namespace, &status.seats, &uids).await?;
        let binding = |name: &str| {
            let binding = self.world.bindings.get_or_written(&ObjectRef::new(name).within(&namespace));
            binding.map(|binding| binding.as_ref().clone())
        };
        let quota = || {
            let quota = self.world.quotas.get_or_written(&ObjectRef::new(quota::NAME).within(&namespace));
            quota.map(|quota| quota.as_ref().clone())
        };
        Ok(Observed {
            failed: Failed::default(),
            object: Object::of(object, self.stamps),
            spec: object.spec.clone(),
            policy: AccountPolicy::of(object),
            status,
            service_accounts,
            gone,
            super_admins: binding(admins::SUPER_ADMINS),
            iam_admins: binding(admins::IAM_ADMINS),
            quota: if self.resource_quotas { QuotaView::Wanted(quota()) } else { QuotaView::Unwanted },
        })
    }
}
