//! Where sealing keys are kept: the secret half in a Secret that the controller alone reads, the public
//! halves in a `ConfigMap` of the same name, which verifiers read. Both lie in the namespace of the
//! installation.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::ConfigMap;

use crate::domain::access_key::record::Trust;
use crate::domain::value::seal::{PublicKey, PublicKeys};
use crate::domain::value::time::{parse_rfc3339, rfc3339};

/// The name of the Secret and of the `ConfigMap`.
pub const NAME: &str = "keyward-sealing";
const PUBLIC_KEYS: &str = "public-keys.json";
const SEALED_SINCE: &str = "sealed-since";

/// What the `ConfigMap` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The public halves of all keys that seals in use were made with, oldest first.
    pub keys: Vec<PublicKey>,
    /// Since when every token has a seal; `None` while tokens from before there were seals are being sealed.
    pub sealed_since: Option<DateTime<Utc>>,
}

/// Why the `ConfigMap` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It has no list of keys.
    #[error("ConfigMap \"{NAME}\" has no entry \"{PUBLIC_KEYS}\"")]
    Missing,
    /// The list does not parse.
    #[error("ConfigMap \"{NAME}\", entry \"{PUBLIC_KEYS}\", must be a JSON list of base64 texts")]
    Keys(#[from] serde_json::Error),
}

impl Published {
    /// Reads it.
    ///
    /// # Errors
    /// When it has no list of keys, or not in its form.
    pub fn read(object: &ConfigMap) -> Result<Self, Error> {
        let entry = |name: &str| object.data.as_ref().and_then(|data| data.get(name));
        let keys = serde_json::from_str(entry(PUBLIC_KEYS).ok_or(Error::Missing)?)?;
        // An unreadable time must not let tokens in without a seal.
        let sealed_since = entry(SEALED_SINCE).map(|text| parse_rfc3339(text).unwrap_or_default());
        Ok(Self { keys, sealed_since })
    }

    /// The `ConfigMap`'s data.
    ///
    /// # Errors
    /// When the keys cannot be written as JSON.
    pub fn data(&self) -> Result<BTreeMap<String, String>, serde_json::Error> {
        let Self { keys, sealed_since } = self;
        let keys = (PUBLIC_KEYS.to_owned(), serde_json::to_string(keys)?);
        let since = sealed_since.map(|since| (SEALED_SINCE.to_owned(), rfc3339(since)));
        Ok([keys].into_iter().chain(since).collect())
    }

    /// What it has one believe.
    pub fn trust(&self) -> Trust {
        Trust { keys: PublicKeys::new(&self.keys), adopting: self.sealed_since.is_none() }
    }
}
