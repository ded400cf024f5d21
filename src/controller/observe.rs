//! From the stores to what a decision reads. The only reader; it asks the API server itself only where a store cannot
//! be sure: whether something seated or issued is really gone, and what a changed Secret holds.

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Client, Resource, ResourceExt};

use super::store::{SecretMeta, World};
use crate::api::shared::{AuditEntry, DesiredState, Seat};
use crate::api::{ACCOUNT_NAME, AccessKey, Account, SECRET_TYPE, ServiceAccount};
use crate::domain::access_key::{self, FoundParent, Key, OwnedSecret, Parent, SecretView, needs_inspection};
use crate::domain::limits::Limits;
use crate::domain::reason::Reason;
use crate::domain::seats::admits;
use crate::domain::secret::{self, Content, Holds, OwnedNames, Record};
use crate::domain::service_account::{AccountView, KeyView, admission, wanted_display_name};
use crate::domain::time::from_kube;
use crate::domain::{account, service_account};
use crate::runtime::client::{CallError, bounded, found};

/// Reads for decisions.
#[derive(Clone)]
pub(super) struct Observer {
    pub(super) client: Client,
    pub(super) world: World,
}

impl Observer {
    /// What the decision about a key reads.
    pub(super) async fn access_key(&self, object: &AccessKey) -> Result<access_key::Observed, CallError> {
        let key = key(object);
        let account = self.world.accounts.get(&ObjectRef::new(ACCOUNT_NAME).within(&key.namespace));
        let limits = account.as_ref().map_or_else(Limits::default, |account| limits_of(account));
        // Borrowed, since there may be a thousand seats and many keys.
        let seats = account.as_ref().map(|account| (&limits, seats_of(account)));
        let service_account = self.parent(&key, seats).await?;
        let secret = self.secret(&key).await?;
        Ok(access_key::Observed { key, service_account, limits, secret })
    }

    async fn parent(&self, key: &Key, account: Option<(&Limits, &[Seat])>) -> Result<Parent, CallError> {
        let name = &key.spec.service_account_name;
        let known = self.world.service_accounts.get(&ObjectRef::new(name).within(&key.namespace));
        let Some(bound) = &key.status.service_account_uid else {
            return Ok(known.map_or(Parent::Missing, |object| found_parent(&object, key, account)));
        };
        if let Some(object) = known.filter(|object| object.uid().as_ref() == Some(bound)) {
            return Ok(found_parent(&object, key, account));
        }
        // A key is deleted for this, so the API server itself has to say it.
        let live: Api<ServiceAccount> = Api::namespaced(self.client.clone(), &key.namespace);
        let live = bounded("read service account", live.get_opt(name)).await?;
        let same = live.filter(|object| object.uid().as_ref() == Some(bound));
        Ok(same.map_or(Parent::Gone, |object| found_parent(&object, key, account)))
    }

    async fn secret(&self, key: &Key) -> Result<SecretView, CallError> {
        let name = key.owner().secret_name().to_owned();
        let known = self.world.secrets.get_or_written(&ObjectRef::new(&name).within(&key.namespace));
        let known = known.filter(|secret| is_owned(secret.as_ref(), &key.uid));
        let record = known.as_ref().and_then(|secret| Record::from_annotations(secret.annotations()));
        let version = known.as_ref().and_then(|secret| secret.resource_version());
        if needs_inspection(&key.status, key.generation, version.as_deref()) {
            return self.inspect_secret(key).await;
        }
        Ok(match version {
            Some(resource_version) => {
                SecretView::Owned(OwnedSecret { resource_version, record, holds: Holds::Unread })
            }
            None => SecretView::Absent,
        })
    }

    /// Reads the key's Secret as a whole. What it holds is looked at here and goes no further.
    pub(super) async fn inspect_secret(&self, key: &Key) -> Result<SecretView, CallError> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &key.namespace);
        let live = bounded("read secret", secrets.get_opt(key.owner().secret_name())).await?;
        Ok(live.map_or(SecretView::Absent, |secret| view(&secret, key)))
    }

    /// What the decision about a service account reads.
    pub(super) async fn service_account(
        &self,
        object: &ServiceAccount,
        now: DateTime<Utc>,
    ) -> Result<service_account::Observed, CallError> {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        let account = self.account_view(&namespace);
        let limits = account.as_ref().map_or_else(Limits::default, |account| account.limits);
        let keys: Vec<KeyView> =
            self.keys(&namespace, &name).iter().map(|key| self.key_view(key, &limits, now)).collect();
        let status = object.status.clone().unwrap_or_default();
        let uids: Vec<&str> = keys.iter().map(|key| key.uid.as_str()).collect();
        let gone = self.gone::<AccessKey>("read access key", &namespace, &status.seats, &uids).await?;
        Ok(service_account::Observed {
            name,
            uid: object.uid().unwrap_or_default(),
            generation: object.metadata.generation.unwrap_or_default(),
            resource_version: object.resource_version().unwrap_or_default(),
            spec: object.spec.clone(),
            status,
            account,
            keys,
            gone,
        })
    }

    fn keys(&self, namespace: &str, service_account: &str) -> Vec<std::sync::Arc<AccessKey>> {
        let group = (namespace.to_owned(), service_account.to_owned());
        let names: Vec<String> = self.world.relations.lock().keys.names(&group).cloned().collect();
        names
            .iter()
            .filter_map(|name| self.world.access_keys.get(&ObjectRef::new(name).within(namespace)))
            .collect()
    }

    fn key_view(&self, object: &AccessKey, limits: &Limits, now: DateTime<Utc>) -> KeyView {
        let key = key(object);
        let secret = ObjectRef::new(key.owner().secret_name()).within(&key.namespace);
        let in_secret = || {
            let secret = self.world.secrets.get(&secret).filter(|secret| is_owned(secret.as_ref(), &key.uid));
            secret.is_some_and(|secret| Record::from_annotations(secret.annotations()).is_some())
        };
        KeyView {
            issued: key.status.token.is_some() || in_secret(),
            eligible: key.spec.state == DesiredState::Active
                && access_key::violation(&key.spec, limits, now).is_none(),
            created: created(object),
            uid: key.uid,
            name: key.name,
            status: key.status,
        }
    }

    /// What the decision about an account reads.
    pub(super) async fn account(&self, object: &Account) -> Result<account::Observed, CallError> {
        let namespace = object.namespace().unwrap_or_default();
        let names: Vec<String> =
            self.world.relations.lock().service_accounts.names(&namespace).cloned().collect();
        let service_accounts: Vec<account::ServiceAccountView> = names
            .iter()
            .filter_map(|name| self.world.service_accounts.get(&ObjectRef::new(name).within(&namespace)))
            .map(|object| account::ServiceAccountView {
                uid: object.uid().unwrap_or_default(),
                name: object.name_any(),
                display_name: wanted_display_name(&object.spec, &object.name_any()).to_owned(),
                created: created(object.as_ref()),
                held_name: object.status.as_ref().and_then(|status| status.display_name.clone()),
                issued: object.status.as_ref().is_some_and(|status| !status.seats.is_empty()),
                refusals: refusals(&object),
            })
            .collect();
        let status = object.status.clone().unwrap_or_default();
        let uids: Vec<&str> = service_accounts.iter().map(|view| view.uid.as_str()).collect();
        let gone =
            self.gone::<ServiceAccount>("read service account", &namespace, &status.seats, &uids).await?;
        Ok(account::Observed {
            uid: object.uid().unwrap_or_default(),
            generation: object.metadata.generation.unwrap_or_default(),
            resource_version: object.resource_version().unwrap_or_default(),
            limits: limits_of(object),
            status,
            service_accounts,
            gone,
        })
    }

    fn account_view(&self, namespace: &str) -> Option<AccountView> {
        let account = self.world.accounts.get(&ObjectRef::new(ACCOUNT_NAME).within(namespace))?;
        Some(AccountView { limits: limits_of(&account), seats: seats_of(&account).to_vec() })
    }

    /// UIDs of seats whose object is gone. A store that lags may not know a young object yet, so the API server itself
    /// is asked about every seat that the store has no object for.
    async fn gone<K>(
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

fn limits_of(account: &Account) -> Limits {
    Limits::from_spec(account.spec.limits.as_ref())
}

fn seats_of(account: &Account) -> &[Seat] {
    account.status.as_ref().map(|status| status.seats.as_slice()).unwrap_or_default()
}

/// The key as decisions see it.
pub(super) fn key(object: &AccessKey) -> Key {
    Key {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
        generation: object.metadata.generation.unwrap_or_default(),
        resource_version: object.resource_version().unwrap_or_default(),
        spec: object.spec.clone(),
        status: object.status.clone().unwrap_or_default(),
    }
}

fn found_parent(object: &ServiceAccount, key: &Key, account: Option<(&Limits, &[Seat])>) -> Parent {
    let uid = object.uid().unwrap_or_default();
    let seats = object.status.as_ref().map(|status| status.seats.as_slice()).unwrap_or_default();
    Parent::Found(FoundParent {
        state: object.spec.state,
        admission: admission(account, &uid, wanted_display_name(&object.spec, &object.name_any())),
        seated: admits(seats, &key.uid),
        seats_taken: seats.len(),
        removable: object.status.as_ref().map(|status| status.removable_keys.clone()).unwrap_or_default(),
        uid,
    })
}

fn refusals(object: &ServiceAccount) -> Vec<AuditEntry> {
    let log = object.status.as_ref().map(|status| status.audit_log.as_slice()).unwrap_or_default();
    let own = format!("ServiceAccount/{}", object.name_any());
    let refused = |entry: &&AuditEntry| {
        entry.object == own && entry.action == Reason::ServiceAccountLimitExceeded.action()
    };
    log.iter().filter(refused).cloned().collect()
}

fn created<K: Resource>(object: &K) -> DateTime<Utc> {
    object.meta().creation_timestamp.as_ref().map(from_kube).unwrap_or_default()
}

/// Whether a Secret is the key's to write. Its type counts too: it cannot be changed, and the control plane acts on some.
pub(super) fn is_key_secret(secret: &Secret, key: &Key) -> bool {
    secret.type_.as_deref() == Some(SECRET_TYPE) && is_owned(secret, &key.uid)
}

fn is_owned(secret: &impl Resource, key_uid: &str) -> bool {
    let owners = secret.meta().owner_references.as_deref().unwrap_or_default();
    owners.iter().any(|owner| owner.controller == Some(true) && owner.uid == key_uid)
}

/// A whole Secret as decisions see it.
pub(super) fn view(secret: &Secret, key: &Key) -> SecretView {
    if !is_key_secret(secret, key) {
        return SecretView::Foreign;
    }
    let record = Record::from_annotations(secret.annotations());
    let service_account_uid = key.status.service_account_uid.clone();
    let recorded = [key.status.token.clone(), key.status.next_token.clone()].into_iter().flatten();
    let known: Vec<Record> = recorded
        .filter_map(|token| Some(Record { token, service_account_uid: service_account_uid.clone()? }))
        .chain(record.clone())
        .collect();
    let holds = secret::inspect(&content(secret), &key.owner(), &known, &owned_names(secret));
    let resource_version = secret.resource_version().unwrap_or_default();
    SecretView::Owned(OwnedSecret { resource_version, record, holds })
}

/// A Secret's labels, annotations and data.
pub(super) fn content(secret: &Secret) -> Content {
    let data = secret.data.clone().unwrap_or_default();
    Content {
        type_: secret.type_.clone().unwrap_or_default(),
        labels: secret.labels().clone(),
        annotations: secret.annotations().clone(),
        data: data.into_iter().map(|(key, value)| (key, value.0)).collect(),
    }
}

/// The labels and annotations that the controller set, as the API server's `managedFields` record them.
pub(super) fn owned_names(secret: &Secret) -> OwnedNames {
    let mut owned = OwnedNames::default();
    let entries = secret.metadata.managed_fields.iter().flatten();
    for entry in entries.filter(|entry| entry.manager.as_deref() == Some(super::FIELD_MANAGER)) {
        let fields = entry.fields_v1.as_ref().map(|fields| &fields.0);
        let names = |of: &str| -> Vec<String> {
            let map = fields.and_then(|fields| fields.get("f:metadata")?.get(of)?.as_object());
            map.into_iter()
                .flatten()
                .filter_map(|(name, _)| name.strip_prefix("f:").map(str::to_owned))
                .collect()
        };
        owned.labels.extend(names("f:labels"));
        owned.annotations.extend(names("f:annotations"));
    }
    owned
}

/// The metadata alone, as it would come by watch.
pub(super) fn metadata_of(secret: &Secret) -> SecretMeta {
    let metadata = ObjectMeta { managed_fields: None, ..secret.metadata.clone() };
    PartialObjectMeta { types: None, metadata, _phantom: std::marker::PhantomData }
}
