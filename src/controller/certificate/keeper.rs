//! Reads what there is of the verifier's certificate and writes what is missing.

use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Api, Client};

use crate::controller::certificate::make::{self, Made};
use crate::controller::certificate::plan::{AUTHORITY_LASTS, Authority, Observed, Pair, Plan, bundle, plan};
use crate::controller::field_manager::post;
use crate::domain::value::time::{parse_rfc3339, rfc3339, whole_seconds};
use crate::runtime::client::{CallError, bounded};
use crate::runtime::clock::Clock;
use crate::runtime::held_secret::HeldSecret;
use crate::runtime::telemetry::with_causes;

/// The Secret of the authority, which only the controller reads, and the `ConfigMap` by which clients know
/// it.
const AUTHORITY: &str = "keyward-verifier-ca";
/// The Secret that the verifier has mounted.
const SERVING: &str = "keyward-verifier-self-signed";
const TLS_TYPE: &str = "kubernetes.io/tls";
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";
const CA: &str = "ca.crt";
const EXPIRES_AT: &str = "expires-at";
/// How often it is looked at.
const LOOK: Duration = Duration::from_mins(1);
/// How long to wait after a failure.
const RETRY: Duration = Duration::from_secs(5);

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// The API server refused.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It cannot be made.
    #[error("the verifier's certificate cannot be made")]
    Make(#[from] rcgen::Error),
}

/// Keeps the certificate.
pub(in crate::controller) struct Certificates {
    secrets: Api<Secret>,
    config_maps: Api<ConfigMap>,
    names: Vec<String>,
    clock: Clock,
}

/// The three objects.
struct Found {
    authority: Option<HeldSecret>,
    serving: Option<HeldSecret>,
    published: Option<ConfigMap>,
}

impl Certificates {
    /// For a verifier that is reached at `names`, in `namespace`. Without names there is nothing to do.
    pub(in crate::controller) fn new(
        client: &Client,
        namespace: &str,
        names: Vec<String>,
        clock: Clock,
    ) -> Self {
        Self {
            secrets: Api::namespaced(client.clone(), namespace),
            config_maps: Api::namespaced(client.clone(), namespace),
            names,
            clock,
        }
    }

    /// Makes and renews, for ever.
    pub(in crate::controller) async fn keep(&self) {
        if self.names.is_empty() {
            return std::future::pending().await;
        }
        loop {
            let wait = match self.once().await {
                Ok(()) => LOOK,
                Err(error) => {
                    let error = with_causes(&error);
                    tracing::warn!(error, "the verifier's certificate is not as it should be; trying again");
                    RETRY
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(&self) -> Result<(), Error> {
        let now = whole_seconds(self.clock.now());
        let found = self.find().await?;
        let Plan { authority, publish, serving } = plan(&found.observed(), &self.names, now);
        let Found { authority: found_authority, serving: found_serving, published } = found;
        let made = if authority { Some(make::authority(now)?) } else { None };
        let found_authority = match &made {
            Some(made) => {
                let expires_at = (EXPIRES_AT, rfc3339(now + AUTHORITY_LASTS));
                let written = self.write_secret(AUTHORITY, found_authority, made, expires_at).await?;
                tracing::info!(secret = AUTHORITY, "an authority for the verifier's certificate was made");
                Some(written)
            }
            None => found_authority,
        };
        let Some(pair) = found_authority.as_deref().and_then(pair) else { return Ok(()) };
        if publish {
            self.publish(published, pair.certificate).await?;
        }
        if serving {
            let made = make::serving(pair.key, &self.names, now)?;
            let authority = (CA, pair.certificate.to_owned());
            self.write_secret(SERVING, found_serving, &made, authority).await?;
            tracing::info!(secret = SERVING, names = ?self.names, "a certificate for the verifier was made");
        }
        Ok(())
    }

    async fn find(&self) -> Result<Found, CallError> {
        let authority = bounded("read authority", self.secrets.get_opt(AUTHORITY)).await?;
        let serving = bounded("read certificate", self.secrets.get_opt(SERVING)).await?;
        let published = bounded("read published authority", self.config_maps.get_opt(AUTHORITY)).await?;
        Ok(Found {
            authority: authority.map(HeldSecret::from),
            serving: serving.map(HeldSecret::from),
            published,
        })
    }

    /// Writes a Secret in place of the one that was found.
    async fn write_secret(
        &self,
        name: &str,
        found: Option<HeldSecret>,
        made: &Made,
        (entry, value): (&str, String),
    ) -> Result<HeldSecret, CallError> {
        let Pair { certificate, key } = made.pair();
        let data = [(CERTIFICATE, certificate), (KEY, key), (entry, value.as_str())];
        let data = data.map(|(name, text)| (name.to_owned(), ByteString(text.as_bytes().to_vec())));
        let mut secret = HeldSecret::from(Secret {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            type_: Some(TLS_TYPE.into()),
            data: Some(data.into()),
            ..Secret::default()
        });
        let written = match found {
            None => bounded("create certificate", self.secrets.create(&post(), &secret)).await?,
            Some(found) => {
                secret.metadata = found.metadata.clone();
                secret.metadata.managed_fields = None;
                bounded("write certificate", self.secrets.replace(name, &post(), &secret)).await?
            }
        };
        Ok(written.into())
    }

    async fn publish(&self, found: Option<ConfigMap>, authority: &str) -> Result<(), CallError> {
        let before = found.as_ref().map(bundle_of).unwrap_or_default();
        let data = Some([(CA.to_owned(), bundle(authority, before))].into());
        match found {
            None => {
                let metadata = ObjectMeta { name: Some(AUTHORITY.into()), ..ObjectMeta::default() };
                let object = ConfigMap { metadata, data, ..ConfigMap::default() };
                bounded("publish authority", self.config_maps.create(&post(), &object)).await?;
            }
            Some(found) => {
                let object = ConfigMap { data, ..found };
                bounded("publish authority", self.config_maps.replace(AUTHORITY, &post(), &object)).await?;
            }
        }
        Ok(())
    }
}

impl Found {
    fn observed(&self) -> Observed<'_> {
        let Self { authority, serving, published } = self;
        Observed {
            authority: authority.as_deref().and_then(|secret| {
                let expires_at = parse_rfc3339(entry(secret, EXPIRES_AT)?)?;
                Some(Authority { pair: pair(secret)?, expires_at })
            }),
            serving: serving.as_deref().and_then(pair),
            published: published.as_ref().map(bundle_of).unwrap_or_default(),
        }
    }
}

fn entry<'a>(secret: &'a Secret, name: &str) -> Option<&'a str> {
    std::str::from_utf8(&secret.data.as_ref()?.get(name)?.0).ok()
}

fn pair(secret: &Secret) -> Option<Pair<'_>> {
    Some(Pair { certificate: entry(secret, CERTIFICATE)?, key: entry(secret, KEY)? })
}

fn bundle_of(object: &ConfigMap) -> &str {
    object.data.as_ref().and_then(|data| data.get(CA)).map(String::as_str).unwrap_or_default()
}
