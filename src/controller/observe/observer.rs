//! What every observation needs, and the ones that are short.

use crd_check::metadata::is_dns_name;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Client, Resource, ResourceExt};

use crate::api::shared::Seat;
use crate::api::{ACCOUNT_NAME, AccessKey, Account, ResourceGrant, names};
use crate::controller::sealing::Sealing;
use crate::controller::secrets::Secrets;
use crate::controller::watch::store::{SecretMeta, World};
use crate::domain::access_key::publish::orphan;
use crate::domain::object::{Object, Stamps};
use crate::domain::resource_grant;
use crate::runtime::client::{CallError, bounded, found};

/// Reads for decisions.
#[derive(Clone)]
pub(in crate::controller) struct Observer {
    pub(in crate::controller) client: Client,
    pub(in crate::controller) secrets: Secrets,
    pub(in crate::controller) world: World,
    /// Whether admission stamps who changed an object.
    pub(in crate::controller) stamps: Stamps,
    /// Which seals are good.
    pub(in crate::controller) sealing: Sealing,
    /// Whether accounts have a quota.
    pub(in crate::controller) resource_quotas: bool,
}

impl Observer {
    /// The `Account` of a namespace.
    pub(super) fn account_of(&self, namespace: &str) -> Option<std::sync::Arc<Account>> {
        self.world.accounts.get(&ObjectRef::new(ACCOUNT_NAME).within(namespace))
    }

    /// What the decision about a grant reads.
    pub(in crate::controller) fn resource_grant(&self, object: &ResourceGrant) -> resource_grant::Observed {
        let object_meta = Object::of(object, self.stamps);
        let service_account = object.spec.service_account_name.clone();
        let named = ObjectRef::new(&service_account).within(&object_meta.namespace);
        resource_grant::Observed {
            exists: self.world.service_accounts.get(&named).is_some(),
            object: object_meta,
            service_account,
            status: object.status.clone().unwrap_or_default(),
        }
    }

    /// Whether the key of a Secret in another namespace is gone. A Secret is deleted for this, so the API
    /// server itself has to say it.
    pub(in crate::controller) async fn published_secret(
        &self,
        secret: &SecretMeta,
    ) -> Result<orphan::Observed, CallError> {
        // It becomes part of a path, and whoever writes Secrets may have written it.
        let by = secret.annotations().get(names::PUBLISHED_BY).and_then(|by| by.split_once('/'));
        let Some(owner) = by.filter(|(namespace, name)| is_dns_name(namespace) && is_dns_name(name)) else {
            return Ok(orphan::Observed { key_exists: true });
        };
        let keys: Api<PartialObjectMeta<AccessKey>> = Api::namespaced(self.client.clone(), owner.0);
        let live = found(bounded("read access key", keys.get(owner.1)).await)?;
        let uid = live.and_then(|key| key.uid());
        Ok(orphan::Observed { key_exists: uid.as_ref() == secret.annotations().get(names::PUBLISHED_BY_UID) })
    }

    /// UIDs of seats whose object is gone. A store that lags may not know a young object yet, so the API
    /// server itself is asked about every seat that the store has no object for.
    pub(super) async fn gone<K>(
        &self,
        operation: &'static str,
        namespace: &str,
        seats: &[Seat],
        known: &[&str],
    ) -> Result<Vec<String>, CallError>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope> + Clone + std::fmt::Debug,
    {
        let live: Api<PartialObjectMeta<K>> = Api::namespaced(self.client.clone(), namespace);
        let mut gone = Vec::new();
        for seat in seats.iter().filter(|seat| !known.contains(&seat.uid.as_str())) {
            let object = found(bounded(operation, live.get(&seat.name)).await)?;
            if object.and_then(|object| object.uid()).as_ref() != Some(&seat.uid) {
                gone.push(seat.uid.clone());
            }
        }
        Ok(gone)
    }
}
