//! Steps about access keys.

use k8s_openapi::api::core::v1::Secret;
use kube::api::Patch;
use kube::{Api, Resource, ResourceExt};
use serde_json::json;

use crate::api::access_key::{AccessKeyStatus, Seal, TokenStatus};
use crate::api::{AccessKey, Kind, ServiceAccount};
use crate::controller::apply::Applier;
use crate::controller::error::Error;
use crate::controller::field_manager::patch;
use crate::controller::secrets::{content, is_key_secret, metadata_of, view};
use crate::controller::watch::store::{SecretMeta, Written};
use crate::domain::access_key::publish::secrets::{NamespacedName, Published};
use crate::domain::access_key::record::Record;
use crate::domain::access_key::secret::{Content, token_in};
use crate::domain::access_key::{Action, Issue, Key, Observed, SecretView};
use crate::domain::value::token::{RANDOM_BYTES, Token};
use crate::runtime::client::{CallError, bounded};
use crate::runtime::held_secret::HeldSecret;

/// One thing that was done.
#[derive(Debug)]
pub(in crate::controller) enum Done {
    /// An audit entry was written.
    Recorded,
    /// The key has this status now.
    Status(Box<AccessKey>),
    /// Its Secret was written.
    Secret {
        /// As it would come by watch.
        metadata: Box<SecretMeta>,
        /// As decisions see it.
        view: SecretView,
    },
    /// Its Secret was not written: there is one of that name already.
    SecretTaken,
    /// The Secret that another key left behind is gone.
    LeftBehindDeleted,
    /// Published Secrets were written or deleted.
    Published {
        /// What is known of them now.
        published: Published,
        /// Each that was written or deleted.
        changes: Vec<Written<SecretMeta>>,
    },
    /// The key is deleted.
    KeyDeleted,
}

impl Done {
    /// A Secret of the key may hold something else than was observed.
    pub(in crate::controller) fn changes_secrets(&self) -> bool {
        match self {
            Self::Recorded | Self::Status(_) | Self::KeyDeleted => false,
            Self::Secret { .. } | Self::SecretTaken | Self::LeftBehindDeleted | Self::Published { .. } => {
                true
            }
        }
    }
}

impl Applier {
    /// Carries out one step about a key. What it did is in `done` also where it then fails.
    pub(in crate::controller) async fn access_key(
        &self,
        object: &AccessKey,
        observed: &Observed,
        action: Action,
        done: &mut Vec<Done>,
    ) -> Result<(), Error> {
        let Observed { key, published, .. } = observed;
        match action {
            Action::Audit(entry) => {
                self.audit.record(&entry, object.object_ref(&())).await;
                done.push(Done::Recorded);
            }
            Action::WriteStatus(status) => done.push(self.write_key_status(key, *status).await?),
            Action::Issue(issue) => self.issue(object, observed, *issue, done).await?,
            Action::RepairSecret(record) => done.push(self.repair(key, &record).await?),
            Action::EmptySecret => done.push(self.empty(key).await?),
            Action::DeleteLeftBehind { uid } => {
                self.delete_left_behind(key, uid).await?;
                done.push(Done::LeftBehindDeleted);
            }
            Action::Publish(tokens) => {
                let publication = self.publication(object, key, published);
                publication.publish(&tokens, done).await.map_err(Error::of_publishing)?;
            }
            Action::Unpublish => self.unpublish(published, done).await.map_err(Error::of_publishing)?,
            Action::DeleteKey => {
                self.delete(key).await?;
                done.push(Done::KeyDeleted);
            }
        }
        Ok(())
    }

    /// Writes a status. What it records of tokens is sealed, unless it is what was sealed before.
    async fn write_key_status(&self, key: &Key, mut status: AccessKeyStatus) -> Result<Done, Error> {
        if status.seal.is_none() {
            status.seal = Record::of_status(&status).map(|record| self.seal(key, &record));
        }
        let mut object = AccessKey::new(&key.object.name, key.spec.clone());
        object.metadata.namespace = Some(key.object.namespace.clone());
        object.metadata.resource_version = Some(key.object.resource_version.clone());
        // When it was used is the verifiers' to say.
        Ok(Done::Status(Box::new(self.write_status(&object, status, &["lastUsedAt"]).await?)))
    }

    fn seal(&self, key: &Key, record: &Record) -> Seal {
        record.seal(&key.object.uid, &self.sealing.key)
    }

    /// Has the key's seat name a serial before there is a token of it, so that a Secret with an older one
    /// brings back nothing, even if the status is lost.
    async fn record_serial(&self, key: &Key, index: usize, serial: i64) -> Result<(), Error> {
        let seat = |field: &str| format!("/status/seats/{index}/{field}");
        let operations = json!([
            { "op": "test", "path": seat("uid"), "value": key.object.uid },
            { "op": "add", "path": seat("serial"), "value": serial },
        ]);
        let change = Patch::Json::<()>(serde_json::from_value(operations).map_err(Error::Json)?);
        let accounts = Api::<ServiceAccount>::namespaced(self.client.clone(), &key.object.namespace);
        let (name, params) = (&key.spec.service_account_name, patch());
        let write = accounts.patch_status(name, &params, &change);
        bounded("patch ServiceAccount status", write).await?;
        self.metrics.wrote(Kind::ServiceAccount);
        Ok(())
    }

    /// Mints a token into the key's Secret.
    async fn issue(
        &self,
        object: &AccessKey,
        observed: &Observed,
        issue: Issue,
        done: &mut Vec<Done>,
    ) -> Result<(), Error> {
        let Issue {
            revision,
            issued_at,
            expires_at,
            service_account_uid,
            serial,
            seat,
            replaces,
            stage,
            previous,
        } = issue;
        let Observed { key, published, .. } = observed;
        let token = self.mint()?;
        let issued = TokenStatus {
            id: token.id().to_owned(),
            sha256: token.sha256(),
            revision,
            issued_at,
            expires_at,
        };
        if let Some(index) = seat {
            self.record_serial(key, index, serial).await?;
        }
        if stage {
            let next_token = Some(issued.clone());
            let status =
                AccessKeyStatus { next_token, serial: Some(serial), seal: None, ..key.status.clone() };
            done.push(self.write_key_status(key, status).await?);
            // Gateways know it before anybody can read it in the key's Secret.
            if key.spec.publish.is_some() {
                let publication = self.publication(object, key, published);
                let ahead = publication.publish_ahead((&token, &issued), previous.as_ref(), done).await;
                ahead.map_err(Error::of_publishing)?;
            }
        }
        let record = Record { token: issued, next: None, previous, service_account_uid, serial };
        let wanted = key.owner().content(&token, &record, &self.seal(key, &record));
        let secret = match replaces {
            Some(version) => self.rewrite(key, Some(&version), |_| Some(wanted)).await?,
            None => match self.create_secret(object, &key.secret_id(), wanted).await {
                // Someone else's, or another controller's.
                Err(error) if error.is_already_exists() => {
                    done.push(Done::SecretTaken);
                    return Ok(());
                }
                created => created?,
            },
        };
        done.push(self.written(&secret, key));
        Ok(())
    }

    /// Writes the Secret again as requested, with the token that is in it.
    async fn repair(&self, key: &Key, record: &Record) -> Result<Done, Error> {
        let seal = self.seal(key, record);
        let secret = self
            .rewrite(key, None, |found| {
                let token = found.data.values().find_map(|value| token_in(value))?;
                token.has_sha256(&record.token.sha256).then(|| key.owner().content(&token, record, &seal))
            })
            .await?;
        Ok(self.written(&secret, key))
    }

    /// Takes the token out of the Secret, and the record of it.
    async fn empty(&self, key: &Key) -> Result<Done, Error> {
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
    async fn delete_left_behind(&self, key: &Key, uid: String) -> Result<(), CallError> {
        let NamespacedName { namespace, name } = key.secret_id();
        self.remove(&self.secrets.of(&namespace), &name, Some(uid)).await?;
        self.metrics.wrote(Kind::Secret);
        let key = &key.object.name;
        tracing::info!(namespace, key, name, "a Secret that a restore left in the key's place was deleted");
        Ok(())
    }

    /// Replaces the Secret's content, if it is still the key's and, where one is given, has `version`.
    async fn rewrite(
        &self,
        key: &Key,
        version: Option<&str>,
        change: impl FnOnce(&Content) -> Option<Content>,
    ) -> Result<HeldSecret, Error> {
        let found = self.secrets.get(&key.secret_id()).await?.ok_or(Error::SecretChanged)?;
        if !is_key_secret(&found, key)
            || version.is_some_and(|version| found.resource_version().as_deref() != Some(version))
        {
            return Err(Error::SecretChanged);
        }
        let wanted = change(&content(&found)).ok_or(Error::SecretChanged)?;
        Ok(self.rewrite_secret(found, wanted).await?)
    }

    async fn delete(&self, key: &Key) -> Result<(), CallError> {
        let keys = kube::Api::<AccessKey>::namespaced(self.client.clone(), &key.object.namespace);
        self.remove(&keys, &key.object.name, Some(key.object.uid.clone())).await?;
        self.metrics.wrote(Kind::AccessKey);
        Ok(())
    }

    fn mint(&self) -> Result<Token, rand::rngs::SysError> {
        let mut random = zeroize::Zeroizing::new([0; RANDOM_BYTES]);
        loop {
            self.random.fill(random.as_mut_slice())?;
            if let Some(token) = Token::from_random(random.as_slice()) {
                return Ok(token);
            }
        }
    }

    /// The key's Secret as it was written, without its data.
    fn written(&self, secret: &Secret, key: &Key) -> Done {
        let view = view(secret, key, &self.sealing.trust());
        Done::Secret { metadata: Box::new(metadata_of(secret)), view }
    }
}
