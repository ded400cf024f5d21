//! The controller's sealing key: drawn at the first start, read at every other, and made known to verifiers.
//! What is sealed, and what a seal proves, stands in `domain`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Api, Client};
use zeroize::Zeroizing;

use crate::controller::field_manager::post;
use crate::controller::watch::store::World;
use crate::domain::access_key::record::{Claim, Trust};
use crate::domain::value::seal::{Proof, SEED_BYTES, SigningKey};
use crate::domain::value::time::whole_seconds;
use crate::runtime::client::{CallError, bounded};
use crate::runtime::clock::Clock;
use crate::runtime::random::Random;
use crate::runtime::sealing::{self, NAME, Published};

const SEED: &str = "seed";
const SECRET_TYPE: &str = "iam.keyward.dev/sealing-key";
/// How long verifiers are given to learn of a key that follows another one, before anything is sealed with
/// it.
const DISTRIBUTION: Duration = Duration::from_secs(10);
/// How long to wait before the API server is asked again.
const RETRY: Duration = Duration::from_secs(1);
/// How often it is looked at whether all tokens from before there were seals are sealed.
const ADOPTION_LOOK: Duration = Duration::from_secs(1);

/// Why nothing can be sealed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The Secret holds no key.
    #[error(
        "Secret \"{NAME}\" must hold {SEED_BYTES} bytes in its entry \"{SEED}\"; delete it to have a new key drawn"
    )]
    Seed,
    /// The `ConfigMap` cannot be used.
    #[error(transparent)]
    Published(#[from] sealing::Error),
    /// The `ConfigMap` cannot be written.
    #[error("the public sealing keys as JSON")]
    Json(#[from] serde_json::Error),
    /// No random bytes.
    #[error("the operating system's random generator")]
    Random(#[from] rand::rngs::SysError),
}

/// What every pass has of it.
#[derive(Clone)]
pub(super) struct Sealing {
    /// Seals.
    pub(super) key: Arc<SigningKey>,
    trust: Arc<ArcSwap<Trust>>,
}

impl Sealing {
    /// What is believed at the moment.
    pub(super) fn trust(&self) -> Arc<Trust> {
        self.trust.load_full()
    }
}

/// The Secret and the `ConfigMap`.
pub(super) struct Keeper {
    secrets: Api<Secret>,
    config_maps: Api<ConfigMap>,
    clock: Clock,
    random: Random,
}

impl Keeper {
    /// Of the installation in `namespace`.
    pub(super) fn new(client: &Client, namespace: &str, clock: Clock, random: Random) -> Self {
        Self {
            secrets: Api::namespaced(client.clone(), namespace),
            config_maps: Api::namespaced(client.clone(), namespace),
            clock,
            random,
        }
    }

    /// As [`Self::open`], again and again while the API server refuses or does not answer.
    ///
    /// # Errors
    /// When the Secret or the `ConfigMap` has another form.
    pub(super) async fn open_at_last(&self, world: &World) -> Result<Sealing, Error> {
        loop {
            match self.open(world).await {
                Err(Error::Call(error)) => {
                    tracing::warn!(%error, "nothing can be sealed yet; trying again");
                    tokio::time::sleep(RETRY).await;
                }
                other => return other,
            }
        }
    }

    /// Reads the key, or draws it, and sees that verifiers know it. `world` has the keys that exist.
    ///
    /// # Errors
    /// When the Secret or the `ConfigMap` can be neither read nor written, or has another form.
    async fn open(&self, world: &World) -> Result<Sealing, Error> {
        let key = self.key().await?;
        let published = self.publish(&key, world).await?;
        let trust = Arc::new(ArcSwap::from_pointee(published.trust()));
        Ok(Sealing { key: Arc::new(key), trust })
    }

    /// Of two controllers that start at once, both have the key that was created first.
    async fn key(&self) -> Result<SigningKey, Error> {
        loop {
            if let Some(secret) = bounded("read sealing key", self.secrets.get_opt(NAME)).await? {
                let seed = secret.data.as_ref().and_then(|data| data.get(SEED));
                return seed.and_then(|seed| SigningKey::from_seed(&seed.0)).ok_or(Error::Seed);
            }
            let mut seed = Zeroizing::new(vec![0; SEED_BYTES]);
            self.random.fill(seed.as_mut_slice())?;
            let secret = Secret {
                metadata: ObjectMeta { name: Some(NAME.into()), ..ObjectMeta::default() },
                type_: Some(SECRET_TYPE.into()),
                data: Some([(SEED.to_owned(), ByteString(seed.to_vec()))].into()),
                ..Secret::default()
            };
            match bounded("create sealing key", self.secrets.create(&post(), &secret)).await {
                Err(error) if error.is_already_exists() => {}
                created => {
                    created?;
                    tracing::info!(secret = NAME, "a sealing key was drawn");
                }
            }
        }
    }

    /// Makes the public half known.
    async fn publish(&self, key: &SigningKey, world: &World) -> Result<Published, Error> {
        loop {
            let found = bounded("read public sealing keys", self.config_maps.get_opt(NAME)).await?;
            let Some(found) = found else {
                if let Some(published) = self.create(key, world).await? {
                    return Ok(published);
                }
                continue;
            };
            let mut published = Published::read(&found)?;
            let (before, own) = (published.clone(), key.public());
            let used = signers(world);
            published.keys.retain(|known| *known == own || used.contains(&known.id()));
            let is_new = !published.keys.contains(&own);
            if is_new {
                published.keys.push(own);
            }
            if published == before {
                return Ok(published);
            }
            if self.replace(found, &published).await? {
                if is_new {
                    tracing::warn!(key = key.public().id(), "another sealing key is in use from now on");
                    tokio::time::sleep(DISTRIBUTION).await;
                }
                return Ok(published);
            }
        }
    }

    /// `None` where another controller was first.
    async fn create(&self, key: &SigningKey, world: &World) -> Result<Option<Published>, Error> {
        let adopting = has_unsealed_tokens_alone(world);
        let sealed_since = (!adopting).then(|| whole_seconds(self.clock.now()));
        let published = Published { keys: vec![key.public()], sealed_since };
        let object = ConfigMap {
            metadata: ObjectMeta { name: Some(NAME.into()), ..ObjectMeta::default() },
            data: Some(published.data()?),
            ..ConfigMap::default()
        };
        match bounded("create public sealing keys", self.config_maps.create(&post(), &object)).await {
            Err(error) if error.is_already_exists() => Ok(None),
            created => {
                created?;
                tracing::info!(config_map = NAME, adopting, "the public sealing key is known to verifiers");
                Ok(Some(published))
            }
        }
    }

    /// `false` where it changed meanwhile.
    async fn replace(&self, found: ConfigMap, published: &Published) -> Result<bool, Error> {
        let object = ConfigMap { data: Some(published.data()?), ..found };
        match bounded("write public sealing keys", self.config_maps.replace(NAME, &post(), &object)).await {
            Err(error) if error.is_conflict() => Ok(false),
            written => Ok(written.map(|_| true)?),
        }
    }

    /// Waits until every token that is in use has a seal, and demands seals from then on.
    pub(super) async fn adopt(&self, sealing: &Sealing, world: &World) {
        if !sealing.trust().adopting {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(ADOPTION_LOOK).await;
            let left = unsealed(world, &sealing.trust());
            if left > 0 {
                tracing::info!(left, "tokens from before there were seals are being sealed");
                continue;
            }
            match self.demand().await {
                Ok(published) => {
                    sealing.trust.store(Arc::new(published.trust()));
                    tracing::info!("every token is sealed; from now on no other is good");
                    return std::future::pending().await;
                }
                Err(error) => tracing::warn!(%error, "seals cannot be demanded yet; trying again"),
            }
        }
    }

    async fn demand(&self) -> Result<Published, Error> {
        loop {
            let found = bounded("read public sealing keys", self.config_maps.get(NAME)).await?;
            let mut published = Published::read(&found)?;
            published.sealed_since.get_or_insert(whole_seconds(self.clock.now()));
            if self.replace(found, &published).await? {
                return Ok(published);
            }
        }
    }
}

/// Ids of the keys that seals in use were made with. A key that none names any more is not believed from then
/// on.
fn signers(world: &World) -> HashSet<String> {
    let objects = world.access_keys.all();
    let seals = objects.iter().filter_map(|key| key.status.as_ref()?.seal.as_ref());
    seals.map(|seal| seal.signed_by.clone()).collect()
}

/// Whether there are tokens, and all of them are from before there were seals. Where some are sealed, by a
/// key that nobody has any more, the installation's namespace was lost, and nothing without a seal is
/// believed.
fn has_unsealed_tokens_alone(world: &World) -> bool {
    let objects = world.access_keys.all();
    let statuses = || objects.iter().filter_map(|key| key.status.as_ref());
    statuses().any(|status| status.token.is_some()) && statuses().all(|status| status.seal.is_none())
}

/// How many keys have tokens without a good seal.
fn unsealed(world: &World, trust: &Trust) -> usize {
    let objects = world.access_keys.all();
    let proved = |key: &&Arc<crate::api::AccessKey>| {
        let Some(status) = key.status.as_ref().filter(|status| status.token.is_some()) else { return true };
        let uid = key.metadata.uid.as_deref().unwrap_or_default();
        Claim::of_status(uid, status).is_some_and(|claim| claim.check(&trust.keys) == Proof::Good)
    };
    objects.iter().filter(|key| !proved(key)).count()
}
