//! What the decision about a service account reads.

use std::sync::Arc;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use crate::api::{AccessKey, ServiceAccount};
use crate::controller::observe::Observer;
use crate::controller::secrets::is_owned;
use crate::controller::watch::store::SecretMeta;
use crate::domain::access_key::secret::SecretOwner;
use crate::domain::admins;
use crate::domain::object::Object;
use crate::domain::refused::Failed;
use crate::domain::service_account::{AccountView, GrantView, KeyView, Observed, ObservedKey};
use crate::runtime::client::CallError;

impl Observer {
    /// What the decision about a service account reads.
    pub(in crate::controller) async fn service_account(
        &self,
        object: &ServiceAccount,
    ) -> Result<Observed, CallError> {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        let keys: Vec<ObservedKey> =
            self.keys(&namespace, &name).into_iter().map(|key| self.observed_key(key)).collect();
        let status = object.status.clone().unwrap_or_default();
        let uids: Vec<&str> = keys.iter().map(|key| key.view().uid).collect();
        let gone = self.gone::<AccessKey>("read access key", &namespace, &status.seats, &uids).await?;
        let role_name = admins::role_name(&name);
        let role = ObjectRef::new(&role_name).within(&namespace);
        let binding = ObjectRef::new(&role_name).within(&namespace);
        Ok(Observed {
            failed: Failed::default(),
            object: Object::of(object, self.stamps),
            spec: object.spec.clone(),
            status,
            account: self.account_of(&namespace).map(|account| AccountView::of(&account)),
            keys,
            gone,
            grants: self.grants(&namespace, &name),
            role: self.world.roles.get_or_written(&role).map(|role| role.as_ref().clone()),
            binding: self.world.bindings.get_or_written(&binding).map(|binding| binding.as_ref().clone()),
        })
    }

    fn keys(&self, namespace: &str, service_account: &str) -> Vec<Arc<AccessKey>> {
        let group = (namespace.to_owned(), service_account.to_owned());
        let names: Vec<String> = self.world.relations.lock().keys.names(&group).cloned().collect();
        names
            .iter()
            .filter_map(|name| self.world.access_keys.get(&ObjectRef::new(name).within(namespace)))
            .collect()
    }

    fn grants(&self, namespace: &str, service_account: &str) -> Vec<GrantView> {
        let group = (namespace.to_owned(), service_account.to_owned());
        let names: Vec<String> = self.world.relations.lock().grants.names(&group).cloned().collect();
        let grants =
            names.iter().filter_map(|name| self.world.grants.get(&ObjectRef::new(name).within(namespace)));
        grants.map(|grant| GrantView::of(&grant, self.stamps)).collect()
    }

    fn observed_key(&self, object: Arc<AccessKey>) -> ObservedKey {
        let KeyView { spec, name, uid, status, .. } = KeyView::of(&object);
        let namespace = object.namespace().unwrap_or_default();
        let owner = SecretOwner { spec, name, account: &namespace };
        let secret = ObjectRef::new(owner.secret_name()).within(&namespace);
        let secret = self.world.secrets.get_or_written(&secret);
        let secret = secret.filter(|secret| is_owned(secret.as_ref(), uid));
        // Only where status says nothing: a seal takes some 30 µs to check.
        let has_record = |secret: &SecretMeta| {
            status.token.is_none()
                && self.sealing.trust().of_annotations(uid, secret.annotations()).sealed().is_some()
        };
        let secret_has_record = secret.as_deref().is_some_and(has_record);
        ObservedKey::new(object, secret.map(|secret| secret.name_any()), secret_has_record, self.stamps)
    }
}
