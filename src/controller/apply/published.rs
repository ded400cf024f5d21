//! Writes the Secrets that are published for gateways. The tokens come out of the key's own Secret and, the one before,
//! out of the published Secrets themselves; they are held only while they are written.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Api, Resource, ResourceExt};

use crate::api::AccessKey;
use crate::api::access_key::TokenStatus;
use crate::controller::apply::actor::{Actor, Error, filled, keep_of_others};
use crate::controller::apply::objects::post;
use crate::controller::apply::secrets::{
    content, is_key_secret, is_published_for, metadata_of, owned_names, standing,
};
use crate::domain::access_key::publish::secrets;
use crate::domain::access_key::publish::secrets::{Place, Published, Standing, wanted};
use crate::domain::access_key::secret::{Content, as_wanted, token_in};
use crate::domain::access_key::{Key, Observed, left_behind};
use crate::domain::value::token::Token;
use crate::runtime::client::{CallError, bounded};
use crate::runtime::clock::now;

/// How often a refused copy is tried again at once, and how long after each refusal.
const REFUSALS: usize = 10;
const REFUSED_FOR: Duration = Duration::from_millis(200);

/// A token and what is recorded of it.
type Issued<'a> = (&'a Token, &'a TokenStatus);

impl Actor {
    /// Brings the published Secrets to what the key's status says is good, and gives back how they stand then.
    pub(in crate::controller) async fn publish(
        &self,
        object: &AccessKey,
        observed: &Observed,
    ) -> Result<Published, Error> {
        let Observed { key, published, .. } = observed;
        let current = key.status.token.as_ref().ok_or(Error::SecretChanged)?;
        let token = self.own_token(key, current).await?.ok_or(Error::SecretChanged)?;
        let previous = key.status.previous_token.as_ref().map(|previous| &previous.token);
        let in_copies = match previous {
            Some(previous) => self.copied_token(published, previous).await?,
            None => None,
        };
        let before = previous.map(|status| (in_copies.as_ref(), status));
        self.bring_about(object, key, published, (&token, current), before).await
    }

    /// Publishes a token that succeeds the one in the key's Secret, beside that one where it stays good.
    pub(in crate::controller) async fn publish_ahead(
        &self,
        object: &AccessKey,
        observed: &Observed,
        next: Issued<'_>,
    ) -> Result<Published, Error> {
        let Observed { key, published, .. } = observed;
        let Some(current) = key.status.token.as_ref().filter(|_| key.spec.publish.is_some()) else {
            return Ok(published.clone());
        };
        let stays = left_behind(&key.spec, current, next.1, now());
        let token = self.own_token(key, current).await?;
        let before = stays.as_ref().map(|stays| (token.as_ref(), &stays.token));
        self.bring_about(object, key, published, next, before).await
    }

    /// Deletes all published Secrets.
    pub(in crate::controller) async fn unpublish(&self, observed: &Observed) -> Result<Published, Error> {
        for standing in &observed.published.standing {
            self.delete_published(standing).await?;
        }
        Ok(Published { standing: Vec::new(), ..observed.published.clone() })
    }

    async fn bring_about(
        &self,
        object: &AccessKey,
        key: &Key,
        published: &Published,
        current: Issued<'_>,
        before: Option<(Option<&Token>, &TokenStatus)>,
    ) -> Result<Published, Error> {
        let owner = key.owner();
        let (previous, previous_status) =
            (before.and_then(|(token, _)| token), before.map(|(_, status)| status));
        let wanted = wanted(&owner, current.1, previous_status, &published.accepting);
        let mut now_so = Published { accepting: published.accepting.clone(), ..Published::default() };
        let mut refused = Vec::new();
        for wanted in &wanted {
            let Some(content) = secrets::content(&owner, &key.uid, wanted, current, previous) else {
                now_so.lost.push(wanted.place.clone());
                continue;
            };
            match self.put(object, key, &wanted.place, content.clone()).await {
                Ok(standing) => now_so.found(&wanted.place, standing),
                Err(Error::Call(error)) if error.is_refusal() => {
                    let name = &wanted.place.name;
                    tracing::debug!(name, %error, "a copy was refused, and is tried again after the others");
                    refused.push((&wanted.place, content));
                }
                Err(error) => return Err(error),
            }
        }
        // A gateway's own admission may allow each token once only, and the one before is still in its old place.
        for (place, content) in refused {
            now_so.found(place, self.put_at_last(object, key, place, content).await?);
        }
        for standing in &published.standing {
            if !now_so.standing.iter().any(|kept| kept.place == standing.place) {
                self.delete_published(standing).await?;
            }
        }
        Ok(now_so)
    }

    /// As [`Self::put`], a few times over: what refused it may not have seen yet that the place is free.
    async fn put_at_last(
        &self,
        object: &AccessKey,
        key: &Key,
        place: &Place,
        wanted: Content,
    ) -> Result<Option<Standing>, Error> {
        for _ in 0..REFUSALS {
            match self.put(object, key, place, wanted.clone()).await {
                Err(Error::Call(error)) if error.is_refusal() => tokio::time::sleep(REFUSED_FOR).await,
                other => return other,
            }
        }
        self.put(object, key, place, wanted).await
    }

    /// Makes the Secret at `place` hold `wanted`; `None` where someone else's stands there.
    async fn put(
        &self,
        object: &AccessKey,
        key: &Key,
        place: &Place,
        wanted: Content,
    ) -> Result<Option<Standing>, Error> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &place.namespace);
        let live = bounded("read secret", secrets.get_opt(&place.name)).await?;
        let written = match live {
            None => self.create_published(&secrets, object, key, place, wanted).await?,
            Some(found) if !is_published_for(&found, key) => None,
            Some(found) if as_wanted(&content(&found), &wanted, &owned_names(&found)) => Some(found),
            // The type of a Secret cannot be changed.
            Some(found) if found.type_.as_deref() != Some(wanted.type_.as_str()) => {
                self.remove(&secrets, &place.name, found.uid()).await?;
                self.create_published(&secrets, object, key, place, wanted).await?
            }
            Some(found) => Some(self.rewrite_published(&secrets, found, wanted).await?),
        };
        Ok(written.map(|secret| {
            self.observer.world.secrets.wrote(metadata_of(&secret));
            standing(&secret, true)
        }))
    }

    async fn create_published(
        &self,
        secrets: &Api<Secret>,
        object: &AccessKey,
        key: &Key,
        place: &Place,
        wanted: Content,
    ) -> Result<Option<Secret>, CallError> {
        let here = place.namespace == key.namespace;
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(place.name.clone()),
                namespace: Some(place.namespace.clone()),
                owner_references: object.controller_owner_ref(&()).filter(|_| here).map(|owner| vec![owner]),
                ..ObjectMeta::default()
            },
            ..Secret::default()
        };
        match bounded("create secret", secrets.create(&post(), &filled(secret, wanted))).await {
            Err(error) if error.is_already_exists() => Ok(None),
            created => {
                self.metrics.wrote("Secret");
                created.map(Some)
            }
        }
    }

    async fn rewrite_published(
        &self,
        secrets: &Api<Secret>,
        found: Secret,
        mut wanted: Content,
    ) -> Result<Secret, CallError> {
        let (name, own) = (found.name_any(), owned_names(&found));
        keep_of_others(&mut wanted.labels, found.labels(), &own.labels);
        keep_of_others(&mut wanted.annotations, found.annotations(), &own.annotations);
        let secret = filled(found, wanted);
        let written = bounded("write secret", secrets.replace(&name, &post(), &secret)).await?;
        self.metrics.wrote("Secret");
        Ok(written)
    }

    async fn delete_published(&self, standing: &Standing) -> Result<(), CallError> {
        let Standing { place: Place { namespace, name }, uid, .. } = standing;
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        self.remove(&secrets, name, Some(uid.clone())).await?;
        self.observer.world.secrets.forget(&kube::runtime::reflector::ObjectRef::new(name).within(namespace));
        self.metrics.wrote("Secret");
        Ok(())
    }

    /// The token of `status` out of the key's own Secret.
    async fn own_token(&self, key: &Key, status: &TokenStatus) -> Result<Option<Token>, CallError> {
        let live = bounded("read secret", self.secrets(key).get_opt(key.owner().secret_name())).await?;
        Ok(live.filter(|secret| is_key_secret(secret, key)).and_then(|secret| token_of(&secret, status)))
    }

    /// The token of `status` out of the published Secrets.
    async fn copied_token(
        &self,
        published: &Published,
        status: &TokenStatus,
    ) -> Result<Option<Token>, CallError> {
        for Standing { place: Place { namespace, name }, .. } in &published.standing {
            let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
            let live = bounded("read secret", secrets.get_opt(name)).await?;
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
