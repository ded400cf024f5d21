//! From actions to calls of the API server: an exhaustive match for each kind, and no decisions. With `objects` and `published` the only
//! writer.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Api, Client, Resource, ResourceExt};
use rand::TryRng;
use rand::rngs::SysRng;

use crate::api::access_key::{AccessKeyStatus, TokenStatus};
use crate::api::account::AccountStatus;
use crate::api::{
    ACCOUNT_NAME, AccessKey, Account, AccountSpec, ResourceGrant, ResourceGrantStatus, ServiceAccount,
};
use crate::controller::apply::objects::post;
use crate::controller::apply::secrets::{content, is_key_secret, metadata_of, owned_names, view};
use crate::controller::observe::Observer;
use crate::domain::access_key::secret::{Content, Record, token_in};
use crate::domain::access_key::{Action, Issue, Key, Observed, SecretView};
use crate::domain::value::token::{RANDOM_BYTES, Token};
use crate::domain::{account, service_account};
use crate::runtime::audit::Audit;
use crate::runtime::client::{CallError, bounded};
use crate::runtime::metrics::{Metrics, RANDOM};

/// Why an action was not carried out.
#[derive(Debug, thiserror::Error)]
pub(in crate::controller) enum Error {
    /// The API server refused, or did not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The operating system gave no random bytes.
    #[error("the operating system's random generator")]
    Random(#[from] rand::rngs::SysError),
    /// The Secret changed under our hands.
    #[error("the Secret changed while it was being written again")]
    SecretChanged,
}

impl Error {
    /// A fixed word for metrics.
    pub(in crate::controller) fn reason(&self) -> &'static str {
        match self {
            Self::Call(error) => error.reason(),
            Self::Random(_) => RANDOM,
            Self::SecretChanged => "Conflict",
        }
    }
}

/// Writes what was planned.
#[derive(Clone)]
pub(in crate::controller) struct Actor {
    pub(in crate::controller) client: Client,
    pub(in crate::controller) observer: Observer,
    pub(in crate::controller) audit: Audit,
    pub(in crate::controller) metrics: Metrics,
}

impl Actor {
    /// Carries out one step about a key, and brings `observed` up to date with what it wrote.
    pub(in crate::controller) async fn access_key(
        &self,
        object: &AccessKey,
        observed: &mut Observed,
        action: Action,
    ) -> Result<(), Error> {
        match action {
            Action::Audit(entry) => self.audit.tell(&entry, object.object_ref(&())).await,
            Action::WriteStatus(status) => self.write_key_status(&mut observed.key, *status).await?,
            Action::Issue(issue) => observed.secret = self.issue(object, observed, issue).await?,
            Action::RepairSecret => observed.secret = self.repair(&observed.key).await?,
            Action::EmptySecret => observed.secret = self.empty(&observed.key).await?,
            Action::DeleteLeftBehind { uid } => self.delete_left_behind(observed, uid).await?,
            Action::Publish => observed.published = self.publish(object, observed).await?,
            Action::Unpublish => observed.published = self.unpublish(observed).await?,
            Action::DeleteKey => self.delete(&observed.key).await?,
        }
        Ok(())
    }

    /// Carries out one step about a service account.
    pub(in crate::controller) async fn service_account(
        &self,
        object: &ServiceAccount,
        action: service_account::Action,
    ) -> Result<(), Error> {
        match action {
            service_account::Action::CreateAccount => self.create_account(object).await?,
            service_account::Action::Audit(entry) => self.audit.tell(&entry, object.object_ref(&())).await,
            service_account::Action::WriteStatus(status) => {
                let written = self.write_status(object, *status).await?;
                self.observer.world.service_accounts.wrote(written);
            }
            service_account::Action::Role(change) => {
                self.change("Role", change, &self.observer.world.roles).await?;
            }
            service_account::Action::Binding(change) => {
                self.change("RoleBinding", change, &self.observer.world.bindings).await?;
            }
        }
        Ok(())
    }

    /// Carries out one step about an account.
    pub(in crate::controller) async fn account(
        &self,
        object: &Account,
        action: account::Action,
    ) -> Result<(), Error> {
        match action {
            account::Action::Audit(entry) => self.audit.tell(&entry, object.object_ref(&())).await,
            account::Action::WriteStatus(status) => {
                // The verifiers' field, as `lastUsedAt` of a key is.
                let status = AccountStatus { usage_recorded_since: None, ..*status };
                let written = self.write_status(object, status).await?;
                self.observer.world.accounts.wrote(written);
            }
            account::Action::Binding(change) => {
                self.change("RoleBinding", change, &self.observer.world.bindings).await?;
            }
            account::Action::Quota(change) => {
                self.change("ResourceQuota", change, &self.observer.world.quotas).await?;
            }
        }
        Ok(())
    }

    /// Records what holds for a grant.
    pub(in crate::controller) async fn resource_grant(
        &self,
        object: &ResourceGrant,
        status: ResourceGrantStatus,
    ) -> Result<(), Error> {
        let written = self.write_status(object, status).await?;
        self.observer.world.grants.wrote(written);
        Ok(())
    }

    async fn create_account(&self, object: &ServiceAccount) -> Result<(), Error> {
        let accounts: Api<Account> =
            Api::namespaced(self.client.clone(), &object.namespace().unwrap_or_default());
        let account = Account::new(ACCOUNT_NAME, AccountSpec::default());
        match bounded("create account", accounts.create(&post(), &account)).await {
            Err(error) if error.is_already_exists() => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => {
                self.metrics.wrote("Account");
                Ok(())
            }
        }
    }

    async fn write_key_status(&self, observed: &mut Key, status: AccessKeyStatus) -> Result<(), CallError> {
        let mut object = AccessKey::new(&observed.name, observed.spec.clone());
        object.metadata.namespace = Some(observed.namespace.clone());
        object.metadata.resource_version = Some(observed.resource_version.clone());
        // The verifier's field; applied from here, it would become the controller's.
        let status = AccessKeyStatus { last_used_at: None, ..status };
        let written = self.write_status(&object, status).await?;
        *observed = self.observer.key(&self.observer.world.access_keys.wrote(written));
        Ok(())
    }

    /// Mints a token into the key's Secret, and gives back what the Secret then holds.
    async fn issue(
        &self,
        object: &AccessKey,
        observed: &mut Observed,
        issue: Issue,
    ) -> Result<SecretView, Error> {
        let Issue { revision, issued_at, expires_at, service_account_uid, replaces, stage } = issue;
        let token = mint()?;
        let issued = TokenStatus {
            id: token.id().to_owned(),
            sha256: token.sha256(),
            revision,
            issued_at,
            expires_at,
        };
        if stage {
            let status = AccessKeyStatus { next_token: Some(issued.clone()), ..observed.key.status.clone() };
            self.write_key_status(&mut observed.key, status).await?;
            // Gateways know it before anybody can read it in the key's Secret.
            observed.published = self.publish_ahead(object, observed, (&token, &issued)).await?;
        }
        let wanted = observed.key.owner().content(&token, &Record { token: issued, service_account_uid });
        let secret = match replaces {
            Some(version) => self.rewrite(&observed.key, Some(&version), |_| Some(wanted.clone())).await?,
            None => match self.create_secret(object, &observed.key, wanted).await {
                Ok(secret) => secret,
                // Someone else's, or another controller's: look at what is there instead.
                Err(error) if error.is_already_exists() => {
                    return Ok(self.observer.inspect_secret(&observed.key).await?);
                }
                Err(error) => return Err(error.into()),
            },
        };
        Ok(self.written(&secret, &observed.key))
    }

    async fn create_secret(
        &self,
        object: &AccessKey,
        key: &Key,
        wanted: Content,
    ) -> Result<Secret, CallError> {
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(key.owner().secret_name().to_owned()),
                namespace: Some(key.namespace.clone()),
                owner_references: object.controller_owner_ref(&()).map(|owner| vec![owner]),
                ..ObjectMeta::default()
            },
            ..Secret::default()
        };
        let secret = filled(secret, wanted);
        let created = bounded("create secret", self.secrets(key).create(&post(), &secret)).await?;
        self.metrics.wrote("Secret");
        Ok(created)
    }

    /// Writes the Secret again as asked for, with the token that is in it.
    async fn repair(&self, key: &Key) -> Result<SecretView, Error> {
        let current = key.status.token.clone().zip(key.status.service_account_uid.clone());
        let (token, service_account_uid) = current.ok_or(Error::SecretChanged)?;
        let record = Record { token, service_account_uid };
        let secret = self
            .rewrite(key, None, |found| {
                let token = found.data.values().find_map(|value| token_in(value))?;
                token.has_sha256(&record.token.sha256).then(|| key.owner().content(&token, &record))
            })
            .await?;
        Ok(self.written(&secret, key))
    }

    /// Takes the token out of the Secret, and the record of it.
    async fn empty(&self, key: &Key) -> Result<SecretView, Error> {
        let secret = self
            .rewrite(key, None, |found| {
                let data = key.owner().without_token(&found.data);
                let mut annotations = found.annotations.clone();
                annotations.retain(|name, _| !Record::is_part(name));
                Some(Content { type_: found.type_.clone(), labels: found.labels.clone(), annotations, data })
            })
            .await?;
        Ok(self.written(&secret, key))
    }

    /// Deletes a Secret that a key which is gone left in the place of this one's.
    async fn delete_left_behind(&self, observed: &mut Observed, uid: String) -> Result<(), CallError> {
        let name = observed.key.owner().secret_name().to_owned();
        self.remove(&self.secrets(&observed.key), &name, Some(uid)).await?;
        self.metrics.wrote("Secret");
        let (namespace, key) = (&observed.key.namespace, &observed.key.name);
        tracing::info!(namespace, key, name, "a Secret that a restore left in the key's place was deleted");
        self.observer.look_for_secret(observed).await
    }

    /// Replaces the Secret's content, if it is still the key's and, where one is given, has `version`. Labels and
    /// annotations of others stay.
    async fn rewrite(
        &self,
        key: &Key,
        version: Option<&str>,
        change: impl FnOnce(&Content) -> Option<Content>,
    ) -> Result<Secret, Error> {
        let name = key.owner().secret_name();
        let found = bounded("read secret", self.secrets(key).get(name)).await?;
        if !is_key_secret(&found, key)
            || version.is_some_and(|version| found.resource_version().as_deref() != Some(version))
        {
            return Err(Error::SecretChanged);
        }
        let mut wanted = change(&content(&found)).ok_or(Error::SecretChanged)?;
        let own = owned_names(&found);
        keep_of_others(&mut wanted.labels, found.labels(), &own.labels);
        keep_of_others(&mut wanted.annotations, found.annotations(), &own.annotations);
        let secret = filled(found, wanted);
        let written = bounded("write secret", self.secrets(key).replace(name, &post(), &secret)).await?;
        self.metrics.wrote("Secret");
        Ok(written)
    }

    /// Remembers a Secret that was written, without its data.
    fn written(&self, secret: &Secret, key: &Key) -> SecretView {
        self.observer.world.secrets.wrote(metadata_of(secret));
        view(secret, key)
    }

    async fn delete(&self, key: &Key) -> Result<(), CallError> {
        let keys: Api<AccessKey> = Api::namespaced(self.client.clone(), &key.namespace);
        self.remove(&keys, &key.name, Some(key.uid.clone())).await?;
        self.metrics.wrote("AccessKey");
        Ok(())
    }

    pub(in crate::controller) fn secrets(&self, key: &Key) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &key.namespace)
    }
}

fn mint() -> Result<Token, rand::rngs::SysError> {
    let mut random = zeroize::Zeroizing::new([0; RANDOM_BYTES]);
    loop {
        SysRng.try_fill_bytes(random.as_mut_slice())?;
        if let Some(token) = Token::from_random(random.as_slice()) {
            return Ok(token);
        }
    }
}

pub(in crate::controller) fn filled(secret: Secret, content: Content) -> Secret {
    let Content { type_, labels, annotations, data } = content;
    Secret {
        metadata: ObjectMeta {
            labels: Some(labels),
            annotations: Some(annotations),
            managed_fields: None,
            ..secret.metadata
        },
        type_: Some(type_),
        data: Some(data.into_iter().map(|(key, value)| (key, ByteString(value))).collect()),
        ..secret
    }
}

/// Adds to `wanted` what `found` has and Keyward did not set.
pub(in crate::controller) fn keep_of_others(
    wanted: &mut std::collections::BTreeMap<String, String>,
    found: &std::collections::BTreeMap<String, String>,
    own: &[String],
) {
    for (name, value) in found {
        if !own.contains(name) && !wanted.contains_key(name) {
            wanted.insert(name.clone(), value.clone());
        }
    }
}
