//! Writes the Secrets that are published for gateways. The tokens come out of the key's own Secret and, the
//! one before, out of the published Secrets themselves; they are held only while they are written.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use crate::api::access_key::{PreviousTokenStatus, TokenStatus};
use crate::api::{AccessKey, Kind};
use crate::controller::apply::Applier;
use crate::controller::apply::access_key::Done;
use crate::controller::error::Error;
use crate::controller::secrets::{
    content, is_key_secret, is_published_for, metadata_of, owned_names, published_secret,
};
use crate::controller::watch::store::{SecretMeta, Written};
use crate::domain::access_key::Key;
use crate::domain::access_key::publish::secrets::{
    self, NamespacedName, Published, PublishedSecret, Tokens, desired,
};
use crate::domain::access_key::secret::{Content, as_wanted, token_in};
use crate::domain::value::token::Token;
use crate::runtime::client::CallError;
use crate::runtime::held_secret::HeldSecret;

/// How often a refused copy is tried again at once, and how long after each refusal.
const REFUSALS: usize = 10;
const REFUSED_FOR: Duration = Duration::from_millis(200);

/// A token and what is recorded of it.
type Issued<'a> = (&'a Token, &'a TokenStatus);

/// One bout of publishing for a key, with what it has done so far.
pub(super) struct Publication<'a> {
    applier: &'a Applier,
    object: &'a AccessKey,
    key: &'a Key,
    before: &'a Published,
    changes: Vec<Written<SecretMeta>>,
}

impl Applier {
    /// Prepares to publish for a key; `before` is what is published.
    pub(super) fn publication<'a>(
        &'a self,
        object: &'a AccessKey,
        key: &'a Key,
        before: &'a Published,
    ) -> Publication<'a> {
        Publication { applier: self, object, key, before, changes: Vec::new() }
    }

    /// Deletes all published Secrets.
    pub(super) async fn unpublish(&self, before: &Published, done: &mut Vec<Done>) -> Result<(), Error> {
        let (mut published, mut changes) = (before.clone(), Vec::new());
        let mut ended = Ok(());
        for secret in &before.secrets {
            match self.delete_published(secret).await {
                Ok(deleted) => changes.push(deleted),
                Err(error) => {
                    ended = Err(error.into());
                    break;
                }
            }
            published.secrets.retain(|kept| kept.id != secret.id);
        }
        done.push(Done::Published { published, changes });
        ended
    }

    async fn delete_published(&self, secret: &PublishedSecret) -> Result<Written<SecretMeta>, CallError> {
        let PublishedSecret { id: NamespacedName { namespace, name }, uid, .. } = secret;
        self.remove(&self.secrets.of(namespace), name, Some(uid.clone())).await?;
        self.metrics.wrote(Kind::Secret);
        Ok(Written::Deleted(ObjectRef::new(name).within(namespace)))
    }
}

impl Publication<'_> {
    /// Brings the published Secrets to what the key's status says is good.
    pub(super) async fn publish(mut self, tokens: &Tokens, done: &mut Vec<Done>) -> Result<(), Error> {
        let Tokens { current, previous } = tokens;
        let token = self.own_token(current).await?.ok_or(Error::SecretChanged)?;
        let published_before = match previous {
            Some(previous) => self.published_token(previous).await?,
            None => None,
        };
        let previous = previous.as_ref().map(|status| (published_before.as_ref(), status));
        let ended = self.bring_about((&token, current), previous).await;
        self.finish(ended, done)
    }

    /// Publishes a token that succeeds the one in the key's Secret, beside that one where it stays good.
    pub(super) async fn publish_ahead(
        mut self,
        next: Issued<'_>,
        stays: Option<&PreviousTokenStatus>,
        done: &mut Vec<Done>,
    ) -> Result<(), Error> {
        let token = match stays {
            Some(stays) => self.own_token(&stays.token).await?,
            None => None,
        };
        let previous = stays.map(|stays| (token.as_ref(), &stays.token));
        let ended = self.bring_about(next, previous).await;
        self.finish(ended, done)
    }

    /// Reports what was written, also where something failed: what is known of the Secrets then stays as it
    /// was, and is decided on again.
    fn finish(self, ended: Result<Published, Error>, done: &mut Vec<Done>) -> Result<(), Error> {
        let (published, failed) = match ended {
            Ok(published) => (published, None),
            Err(error) => (self.before.clone(), Some(error)),
        };
        done.push(Done::Published { published, changes: self.changes });
        failed.map_or(Ok(()), Err)
    }

    async fn bring_about(
        &mut self,
        current: Issued<'_>,
        previous: Option<(Option<&Token>, &TokenStatus)>,
    ) -> Result<Published, Error> {
        let (key, before) = (self.key, self.before);
        let owner = key.owner();
        let (token_before, status_before) =
            (previous.and_then(|(token, _)| token), previous.map(|(_, status)| status));
        let desired = desired(&owner, current.1, status_before, &before.accepting);
        let mut published = Published { accepting: before.accepting.clone(), ..Published::default() };
        let mut refused = Vec::new();
        for desired in &desired {
            let Some(content) = secrets::content(&owner, &key.object.uid, desired, current, token_before)
            else {
                published.lost.push(desired.id.clone());
                continue;
            };
            match self.put(&desired.id, content.clone()).await {
                Ok(secret) => published.record(&desired.id, secret),
                Err(Error::Call(error)) if error.is_refusal() => {
                    let name = &desired.id.name;
                    tracing::debug!(name, %error, "a copy was refused, and is tried again after the others");
                    refused.push((&desired.id, content));
                }
                Err(error) => return Err(error),
            }
        }
        // A gateway's own admission may allow each token once only, and the one before still is in another
        // Secret.
        for (id, content) in refused {
            published.record(id, self.put_at_last(id, content).await?);
        }
        for secret in &before.secrets {
            if !published.secrets.iter().any(|kept| kept.id == secret.id) {
                let deleted = self.applier.delete_published(secret).await?;
                self.changes.push(deleted);
            }
        }
        Ok(published)
    }

    /// As [`Self::put`], a few times over: what refused it may not have seen yet that the token is free.
    async fn put_at_last(
        &mut self,
        id: &NamespacedName,
        wanted: Content,
    ) -> Result<Option<PublishedSecret>, Error> {
        for _ in 0..REFUSALS {
            match self.put(id, wanted.clone()).await {
                Err(Error::Call(error)) if error.is_refusal() => tokio::time::sleep(REFUSED_FOR).await,
                other => return other,
            }
        }
        self.put(id, wanted).await
    }

    /// Makes the Secret of that name hold `wanted`; `None` where it is someone else's.
    async fn put(&mut self, id: &NamespacedName, wanted: Content) -> Result<Option<PublishedSecret>, Error> {
        let written = match self.applier.secrets.get(id).await? {
            None => self.create(id, wanted).await?,
            Some(found) if !is_published_for(&*found, self.key) => None,
            Some(found) if as_wanted(&content(&found), &wanted, &owned_names(&found)) => Some(found),
            // The type of a Secret cannot be changed.
            Some(found) if found.type_.as_deref() != Some(wanted.type_.as_str()) => {
                self.applier.remove(&self.applier.secrets.of(&id.namespace), &id.name, found.uid()).await?;
                self.create(id, wanted).await?
            }
            Some(found) => Some(self.applier.rewrite_secret(found, wanted).await?),
        };
        Ok(written.map(|secret| {
            self.changes.push(Written::object(metadata_of(&secret)));
            published_secret(&*secret, true)
        }))
    }

    async fn create(&self, id: &NamespacedName, wanted: Content) -> Result<Option<HeldSecret>, CallError> {
        match self.applier.create_secret(self.object, id, wanted).await {
            Err(error) if error.is_already_exists() => Ok(None),
            created => created.map(Some),
        }
    }

    /// The token of `status` out of the key's own Secret.
    async fn own_token(&self, status: &TokenStatus) -> Result<Option<Token>, CallError> {
        let live = self.applier.secrets.get(&self.key.secret_id()).await?;
        Ok(live.filter(|secret| is_key_secret(secret, self.key)).and_then(|secret| token_of(&secret, status)))
    }

    /// The token of `status` out of the published Secrets.
    async fn published_token(&self, status: &TokenStatus) -> Result<Option<Token>, CallError> {
        for PublishedSecret { id, .. } in &self.before.secrets {
            let live = self.applier.secrets.get(id).await?;
            if let Some(token) = live.and_then(|secret| token_of(&secret, status)) {
                return Ok(Some(token));
            }
        }
        Ok(None)
    }
}

fn token_of(secret: &Secret, status: &TokenStatus) -> Option<Token> {
    let values = secret.data.iter().flatten().map(|(_, value)| value);
    values.filter_map(|value| token_in(&value.0)).find(|token| token.has_sha256(&status.sha256))
}
