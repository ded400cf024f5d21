//! From the stores to what a decision reads. The only reader; it asks the API server itself only where a store cannot
//! be sure: whether something seated or issued is really gone, and what a changed Secret holds.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Client, Resource, ResourceExt};

use crate::api::access_key::PublishedStatus;
use crate::api::account::SnapshotItem;
use crate::api::shared::{AuditEntry, DesiredState, Seat};
use crate::api::{ACCOUNT_NAME, AccessKey, Account, ResourceGrant, ServiceAccount, names};
use crate::controller::apply::secrets::{is_owned, is_published_for, standing, view};
use crate::controller::watch::store::{SecretMeta, World, at_path, path};
use crate::domain::access_key::publish::secrets::{Published, other_namespaces};
use crate::domain::access_key::secret::{Holds, Record};
use crate::domain::access_key::unused::policy;
use crate::domain::access_key::{self, FoundParent, Key, OwnedSecret, Parent, SecretView, needs_inspection};
use crate::domain::account::QuotaView;
use crate::domain::account::limits::Limits;
use crate::domain::account::quota;
use crate::domain::audit::reason::Reason;
use crate::domain::seats::admits;
use crate::domain::service_account::{AccountView, GrantView, KeyView, admission, wanted_display_name};
use crate::domain::value::time::from_kube;
use crate::domain::{account, admins, audit, resource_grant, service_account};
use crate::runtime::client::{CallError, bounded, found};

/// Reads for decisions.
#[derive(Clone)]
pub(super) struct Observer {
    pub(super) client: Client,
    pub(super) world: World,
    /// Whether admission stamps who changed an object.
    pub(super) trust_changed_by: bool,
    /// Whether accounts have a quota.
    pub(super) resource_quotas: bool,
}

impl Observer {
    /// What the decision about a key reads.
    pub(super) async fn access_key(&self, object: &AccessKey) -> Result<access_key::Observed, CallError> {
        let key = self.key(object);
        let account = self.world.accounts.get(&ObjectRef::new(ACCOUNT_NAME).within(&key.namespace));
        let limits = account.as_ref().map_or_else(Limits::default, |account| limits_of(account));
        // Borrowed, since there may be a thousand seats and many keys.
        let seats = account.as_ref().map(|account| (&limits, seats_of(account)));
        let service_account = self.parent(&key, seats).await?;
        let secret = self.secret(&key).await?;
        let name_granted = self.is_name_granted(&key, &secret);
        let published = self.published(&key);
        Ok(access_key::Observed {
            unused: account.as_ref().and_then(|account| unused_of(account)),
            usage_recorded_since: account.as_ref().and_then(|account| recorded_since(account)),
            key,
            service_account,
            limits,
            secret,
            name_granted,
            published,
        })
    }

    /// The key as decisions see it.
    pub(super) fn key(&self, object: &AccessKey) -> Key {
        Key {
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            uid: object.uid().unwrap_or_default(),
            generation: object.metadata.generation.unwrap_or_default(),
            created: created(object),
            deleting: object.metadata.deletion_timestamp.is_some(),
            resource_version: object.resource_version().unwrap_or_default(),
            changed_by: self.changed_by(object),
            spec: object.spec.clone(),
            status: object.status.clone().unwrap_or_default(),
        }
    }

    /// Who changed an object's spec last, as entries name them.
    fn changed_by(&self, object: &impl ResourceExt) -> String {
        let stamp = object.annotations().get(names::CHANGED_BY).filter(|_| self.trust_changed_by);
        audit::person(stamp.map(String::as_str))
    }

    /// Brings the key's Secret up to date, as the API server has it.
    pub(super) async fn look_for_secret(&self, observed: &mut access_key::Observed) -> Result<(), CallError> {
        observed.secret = self.inspect_secret(&observed.key).await?;
        observed.name_granted = self.is_name_granted(&observed.key, &observed.secret);
        Ok(())
    }

    /// Whether admins of another service account may read a Secret of the name that the key's is to have.
    fn is_name_granted(&self, key: &Key, secret: &SecretView) -> bool {
        if *secret != SecretView::Absent {
            return false;
        }
        let own = admins::role_name(&key.spec.service_account_name);
        let secret = (key.namespace.clone(), key.owner().secret_name().to_owned());
        self.world.relations.lock().readers.names(&secret).any(|role| *role != own)
    }

    /// The key's published Secrets, from their metadata.
    fn published(&self, key: &Key) -> Published {
        let recorded = &key.status.published;
        let mut paths: BTreeSet<String> =
            self.world.relations.lock().published.names(&key.uid).cloned().collect();
        paths.extend(recorded.iter().map(|known| path(&known.namespace, &known.name)));
        let secrets = paths.iter().filter_map(|found| self.world.secrets.get_or_written(&at_path(found)?));
        let standing = secrets
            .filter(|secret| is_published_for(secret.as_ref(), key))
            .map(|secret| {
                let version = secret.resource_version().unwrap_or_default();
                let same = |known: &&PublishedStatus| {
                    known.namespace == secret.namespace().unwrap_or_default()
                        && known.name == secret.name_any()
                };
                let known = recorded.iter().find(same);
                standing(secret.as_ref(), known.is_some_and(|known| known.resource_version == version))
            })
            .collect();
        let accepting =
            other_namespaces(&key.spec, &key.namespace).filter(|other| self.accepts(other, &key.namespace));
        let accepting = accepting.map(str::to_owned).collect();
        Published { standing, taken: Vec::new(), lost: Vec::new(), accepting }
    }

    /// Whether an account takes Secrets that keys of another publish.
    fn accepts(&self, account: &str, from: &str) -> bool {
        let account = self.world.accounts.get(&ObjectRef::new(ACCOUNT_NAME).within(account));
        account.is_some_and(|account| {
            account.spec.accept_secrets_from.iter().flatten().any(|name| name.0 == from)
        })
    }

    /// Whether the key of a Secret in another namespace is gone. A Secret is deleted for this, so the API server itself
    /// has to say it.
    pub(super) async fn is_orphan(&self, secret: &SecretMeta) -> Result<bool, CallError> {
        let Some(owner) = secret.annotations().get(names::PUBLISHED_BY).and_then(|by| by.split_once('/'))
        else {
            return Ok(false);
        };
        let keys: Api<PartialObjectMeta<AccessKey>> = Api::namespaced(self.client.clone(), owner.0);
        let live = found(bounded("read access key", keys.get(owner.1)).await)?;
        let uid = live.and_then(|key| key.uid());
        Ok(uid.as_ref() != secret.annotations().get(names::PUBLISHED_BY_UID))
    }

    /// What the decision about a grant reads.
    pub(super) fn resource_grant(&self, object: &ResourceGrant) -> resource_grant::Observed {
        let namespace = object.namespace().unwrap_or_default();
        let service_account = object.spec.service_account_name.clone();
        let known = self.world.service_accounts.get(&ObjectRef::new(&service_account).within(&namespace));
        resource_grant::Observed {
            namespace,
            generation: object.metadata.generation.unwrap_or_default(),
            service_account,
            exists: known.is_some(),
            status: object.status.clone().unwrap_or_default(),
        }
    }

    async fn parent(&self, key: &Key, account: Option<(&Limits, &[Seat])>) -> Result<Parent, CallError> {
        let name = &key.spec.service_account_name;
        let known = self.world.service_accounts.get(&ObjectRef::new(name).within(&key.namespace));
        let Some(bound) = &key.status.service_account_uid else {
            return Ok(known.map_or(Parent::Missing, |object| self.found_parent(&object, key, account)));
        };
        if let Some(object) = known.filter(|object| object.uid().as_ref() == Some(bound)) {
            return Ok(self.found_parent(&object, key, account));
        }
        // A key is deleted for this, so the API server itself has to say it.
        let live: Api<ServiceAccount> = Api::namespaced(self.client.clone(), &key.namespace);
        let live = bounded("read service account", live.get_opt(name)).await?;
        let same = live.filter(|object| object.uid().as_ref() == Some(bound));
        Ok(same.map_or(Parent::Gone, |object| self.found_parent(&object, key, account)))
    }

    fn found_parent(
        &self,
        object: &ServiceAccount,
        key: &Key,
        account: Option<(&Limits, &[Seat])>,
    ) -> Parent {
        let uid = object.uid().unwrap_or_default();
        let seats = object.status.as_ref().map(|status| status.seats.as_slice()).unwrap_or_default();
        Parent::Found(FoundParent {
            changed_by: self.changed_by(object),
            state: object.spec.state,
            admission: admission(account, &uid, wanted_display_name(&object.spec, &object.name_any())),
            seated: admits(seats, &key.uid),
            seats_taken: seats.len(),
            removable: object.status.as_ref().map(|status| status.removable_keys.clone()).unwrap_or_default(),
            uid,
        })
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
        let role = ObjectRef::new(&admins::role_name(&name)).within(&namespace);
        let binding = ObjectRef::new(&admins::role_name(&name)).within(&namespace);
        Ok(service_account::Observed {
            grants: self.grants(&namespace, &name),
            role: self.world.roles.get_or_written(&role).map(|role| role.as_ref().clone()),
            binding: self.world.bindings.get_or_written(&binding).map(|binding| binding.as_ref().clone()),
            changed_by: self.changed_by(object),
            namespace,
            name,
            uid: object.uid().unwrap_or_default(),
            generation: object.metadata.generation.unwrap_or_default(),
            deleting: object.metadata.deletion_timestamp.is_some(),
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

    fn grants(&self, namespace: &str, service_account: &str) -> Vec<GrantView> {
        let group = (namespace.to_owned(), service_account.to_owned());
        let names: Vec<String> = self.world.relations.lock().grants.names(&group).cloned().collect();
        let grants =
            names.iter().filter_map(|name| self.world.grants.get(&ObjectRef::new(name).within(namespace)));
        grants
            .map(|grant| GrantView { spec: grant.spec.clone(), changed_by: self.changed_by(grant.as_ref()) })
            .collect()
    }

    fn key_view(&self, object: &AccessKey, limits: &Limits, now: DateTime<Utc>) -> KeyView {
        let key = self.key(object);
        let secret = ObjectRef::new(key.owner().secret_name()).within(&key.namespace);
        let secret =
            self.world.secrets.get_or_written(&secret).filter(|secret| is_owned(secret.as_ref(), &key.uid));
        let records = |secret: &SecretMeta| Record::from_annotations(secret.annotations()).is_some();
        KeyView {
            issued: key.status.token.is_some() || secret.as_deref().is_some_and(records),
            secret: secret.map(|secret| secret.name_any()),
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
                changed_by: self.changed_by(object.as_ref()),
                at_a_glance: at_a_glance(&object),
            })
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
        Ok(account::Observed {
            super_admins: binding(admins::SUPER_ADMINS),
            iam_admins: binding(admins::IAM_ADMINS),
            quota: if self.resource_quotas { QuotaView::Wanted(quota()) } else { QuotaView::Unwanted },
            changed_by: self.changed_by(object),
            spec: object.spec.clone(),
            namespace,
            uid: object.uid().unwrap_or_default(),
            generation: object.metadata.generation.unwrap_or_default(),
            deleting: object.metadata.deletion_timestamp.is_some(),
            resource_version: object.resource_version().unwrap_or_default(),
            limits: limits_of(object),
            status,
            service_accounts,
            gone,
        })
    }

    fn account_view(&self, namespace: &str) -> Option<AccountView> {
        let account = self.world.accounts.get(&ObjectRef::new(ACCOUNT_NAME).within(namespace))?;
        Some(AccountView {
            limits: limits_of(&account),
            seats: seats_of(&account).to_vec(),
            usage_recorded_since: recorded_since(&account),
        })
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

/// The account's policy about unused keys.
pub(super) fn unused_of(account: &Account) -> Option<policy::Policy> {
    policy::Policy::from_spec(account.spec.unused_access_keys.as_ref())
}

/// Since when verifiers record the use of the account's keys.
pub(super) fn recorded_since(account: &Account) -> Option<DateTime<Utc>> {
    account.status.as_ref().and_then(|status| status.usage_recorded_since)
}

fn seats_of(account: &Account) -> &[Seat] {
    account.status.as_ref().map(|status| status.seats.as_slice()).unwrap_or_default()
}

/// A service account as its account's snapshot shows it.
pub(super) fn at_a_glance(object: &ServiceAccount) -> SnapshotItem {
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
    let own = format!("ServiceAccount/{}", object.name_any());
    let refused = |entry: &&AuditEntry| {
        entry.object == own && entry.action == Reason::ServiceAccountLimitExceeded.action()
    };
    log.iter().filter(refused).cloned().collect()
}

fn created<K: Resource>(object: &K) -> DateTime<Utc> {
    object.meta().creation_timestamp.as_ref().map(from_kube).unwrap_or_default()
}
