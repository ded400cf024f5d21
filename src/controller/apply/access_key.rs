//! Steps about access keys.

use k8s_openapi::api::core::v1::Secret;
use kube::{Resource, ResourceExt};

use crate::api::access_key::{AccessKeyStatus, TokenStatus};
use crate::api::{AccessKey, Kind};
use crate::controller::apply::Applier;
use crate::controller::error::Error;
use crate::controller::secrets::{content, is_key_secret, metadata_of, view};
use crate::controller::watch::store::{SecretMeta, Written};
use crate::domain::access_key::publish::secrets::{NamespacedName, Published};
use crate::domain::access_key::secret::{Content, Record, token_in};
use crate::domain::access_key::{Action, Issue, Key, Observed, SecretView};
use crate::domain::value::token::{RANDOM_BYTES, Token};
use crate::runtime::client::CallError;

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
                self.publication(object, key, published).publish(&tokens, done).await?;
            }
            Action::Unpublish => self.unpublish(published, done).await?,
            Action::DeleteKey => {
                self.delete(key).await?;
                done.push(Done::KeyDeleted);
            }
        }
        Ok(())
    }

    async fn write_key_status(&self, key: &Key, status: AccessKeyStatus) -> Result<Done, CallError> {
        let mut object = AccessKey::new(&key.object.name, key.spec.clone());
        object.metadata.namespace = Some(key.object.namespace.clone());
        object.metadata.resource_version = Some(key.object.resource_version.clone());
        // The verifier's field; applied from here, it would become the controller's.
        let status = AccessKeyStatus { last_used_at: None, ..status };
        Ok(Done::Status(Box::new(self.write_status(&object, status).await?)))
    }

    /// Mints a token into the key's Secret.
    async fn issue(
        &self,
        object: &AccessKey,
        observed: &Observed,
        issue: Issue,
        done: &mut Vec<Done>,
    ) -> Result<(), Error> {
        let Issue { revision, issued_at, expires_at, service_account_uid, replaces, stage, previous } = issue;
        let Observed { key, published, .. } = observed;
        let token = self.mint()?;
        let issued = TokenStatus {
            id: token.id().to_owned(),
            sha256: token.sha256(),
            revision,
            issued_at,
            expires_at,
        };
        if stage {
            let status = AccessKeyStatus { next_token: Some(issued.clone()), ..key.status.clone() };
            done.push(self.write_key_status(key, status).await?);
            // Gateways know it before anybody can read it in the key's Secret.
            if key.spec.publish.is_some() {
                let publication = self.publication(object, key, published);
                publication.publish_ahead((&token, &issued), previous.as_ref(), done).await?;
            }
        }
        let wanted = key.owner().content(&token, &Record { token: issued, service_account_uid });
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
        done.push(written(&secret, key));
        Ok(())
    }

    /// Writes the Secret again as requested, with the token that is in it.
    async fn repair(&self, key: &Key, record: &Record) -> Result<Done, Error> {
        let secret = self
            .rewrite(key, None, |found| {
                let token = found.data.values().find_map(|value| token_in(value))?;
                token.has_sha256(&record.token.sha256).then(|| key.owner().content(&token, record))
            })
            .await?;
        Ok(written(&secret, key))
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
        Ok(written(&secret, key))
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
    ) -> Result<Secret, Error> {
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
}

/// The key's Secret as it was written, without its data.
fn written(secret: &Secret, key: &Key) -> Done {
    Done::Secret { metadata: Box::new(metadata_of(secret)), view: view(secret, key) }
}
