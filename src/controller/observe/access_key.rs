//! What the decision about an access key reads.

use std::collections::BTreeSet;

use kube::runtime::reflector::ObjectRef;
use kube::{Api, Resource, ResourceExt};

use crate::api::access_key::PublishedStatus;
use crate::api::shared::Seat;
use crate::api::{AccessKey, ServiceAccount};
use crate::controller::observe::Observer;
use crate::controller::secrets::{is_owned, is_published_for, published_secret, view};
use crate::controller::watch::store::{at_path, path};
use crate::domain::access_key::publish::secrets::{Published, other_namespaces};
use crate::domain::access_key::record::Trust;
use crate::domain::access_key::secret::Holds;
use crate::domain::access_key::{
    FoundParent, Key, Observed, OwnedSecret, Parent, ParentView, SecretView, needs_inspection,
};
use crate::domain::account::limits::Limits;
use crate::domain::account::policy::{AccountPolicy, accepted_namespaces};
use crate::domain::account::publishing::Publishing;
use crate::domain::account::seats;
use crate::domain::admins;
use crate::domain::refused::Failed;
use crate::runtime::client::{CallError, bounded};

/// The limits and seats of an account. Borrowed, since there may be a thousand seats and many keys.
type Places<'a> = Option<(&'a Limits, &'a [Seat])>;

impl Observer {
    /// What the decision about a key reads.
    pub(in crate::controller) async fn access_key(&self, object: &AccessKey) -> Result<Observed, CallError> {
        let trust = self.sealing.trust();
        let key = self.key(object, &trust);
        let account = self.account_of(&key.object.namespace);
        let policy =
            account.as_ref().map_or_else(AccountPolicy::default, |account| AccountPolicy::of(account));
        let places = account.as_ref().map(|account| (&policy.limits, seats(account)));
        let service_account = self.parent(&key, places).await?;
        let secret = self.secret(&key).await?;
        Ok(Observed {
            failed: Failed::default(),
            name_granted: self.is_name_granted(&key, &secret),
            published: self.published(&key),
            key,
            service_account,
            policy,
            secret,
            adopting: trust.adopting,
        })
    }

    /// The key that `object` is, with what its Secrets may look like where they are.
    pub(in crate::controller) fn key(&self, object: &AccessKey, trust: &Trust) -> Key {
        let publishing = |namespace: &str| {
            self.account_of(namespace).map(|account| Publishing::of(&account)).unwrap_or_default()
        };
        Key::of(object, self.stamps, trust).restricted(publishing)
    }

    /// Brings the key's Secret up to date, as the API server has it.
    pub(in crate::controller) async fn look_for_secret(
        &self,
        observed: &mut Observed,
    ) -> Result<(), CallError> {
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
        let secret = (key.object.namespace.clone(), key.owner().secret_name().to_owned());
        self.world.relations.lock().readers.names(&secret).any(|role| *role != own)
    }

    /// The key's published Secrets, from their metadata.
    fn published(&self, key: &Key) -> Published {
        let recorded = &key.status.published;
        let mut paths: BTreeSet<String> =
            self.world.relations.lock().published.names(&key.object.uid).cloned().collect();
        paths.extend(recorded.iter().map(|known| path(&known.namespace, &known.name)));
        let secrets = paths.iter().filter_map(|found| self.world.secrets.get_or_written(&at_path(found)?));
        let secrets = secrets
            .filter(|secret| is_published_for(secret.as_ref(), key))
            .map(|secret| {
                let version = secret.resource_version().unwrap_or_default();
                let same = |known: &&PublishedStatus| {
                    known.namespace == secret.namespace().unwrap_or_default()
                        && known.name == secret.name_any()
                };
                let known = recorded.iter().find(same);
                let checked = known.is_some_and(|known| known.resource_version == version);
                published_secret(secret.as_ref(), checked)
            })
            .collect();
        let own = &key.object.namespace;
        let accepting = other_namespaces(&key.spec, own).filter(|other| self.accepts(other, own));
        let accepting = accepting.map(str::to_owned).collect();
        Published { secrets, conflicts: Vec::new(), lost: Vec::new(), accepting }
    }

    /// Whether an account takes Secrets that keys of another publish.
    fn accepts(&self, account: &str, from: &str) -> bool {
        self.account_of(account).is_some_and(|account| accepted_namespaces(&account).any(|name| name == from))
    }

    async fn parent(&self, key: &Key, places: Places<'_>) -> Result<Parent, CallError> {
        let (namespace, name) = (&key.object.namespace, &key.spec.service_account_name);
        let known = self.world.service_accounts.get(&ObjectRef::new(name).within(namespace));
        let Some(bound) = &key.status.service_account_uid else {
            return Ok(known.map_or(Parent::Missing, |object| self.found_parent(&object, key, places)));
        };
        if let Some(object) = known.filter(|object| object.uid().as_ref() == Some(bound)) {
            return Ok(self.found_parent(&object, key, places));
        }
        // A key is deleted for this, so the API server itself has to say it.
        let live: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        let live = bounded("read service account", live.get_opt(name)).await?;
        let same = live.filter(|object| object.uid().as_ref() == Some(bound));
        Ok(same.map_or(Parent::Gone, |object| self.found_parent(&object, key, places)))
    }

    fn found_parent(&self, object: &ServiceAccount, key: &Key, places: Places<'_>) -> Parent {
        let view = ParentView::of(object, self.stamps);
        Parent::Found(FoundParent::of(view, &key.object.uid, places))
    }

    async fn secret(&self, key: &Key) -> Result<SecretView, CallError> {
        let secret = ObjectRef::new(key.owner().secret_name()).within(&key.object.namespace);
        let known = self.world.secrets.get_or_written(&secret);
        let known = known.filter(|secret| is_owned(secret.as_ref(), &key.object.uid));
        let version = known.as_ref().and_then(|secret| secret.resource_version());
        // What the account allows may have changed, which leaves no trace in the key.
        let is_marked = known.as_ref().is_none_or(|secret| key.is_marked(secret.meta()));
        if !is_marked || needs_inspection(&key.status, key.object.generation, version.as_deref()) {
            return self.inspect_secret(key).await;
        }
        Ok(match known.zip(version) {
            Some((secret, resource_version)) => {
                let record = self.sealing.trust().of_annotations(&key.object.uid, secret.annotations());
                SecretView::Owned(OwnedSecret { resource_version, record, holds: Holds::Unread })
            }
            None => SecretView::Absent,
        })
    }

    /// Reads the key's Secret as a whole. What it holds is looked at here and goes no further.
    async fn inspect_secret(&self, key: &Key) -> Result<SecretView, CallError> {
        let live = self.secrets.get(&key.secret_id()).await?;
        Ok(live.map_or(SecretView::Absent, |secret| view(&secret, key, &self.sealing.trust())))
    }
}
