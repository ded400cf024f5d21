//! Seals: Ed25519 signatures (RFC 8032) by which the controller vouches for a record. Signing is
//! deterministic, so it is a pure function here too. Nothing of keys or Secrets of Kubernetes comes in.

use std::collections::BTreeMap;
use std::fmt;

use compact_str::CompactString;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::domain::value::digest::{Sha256Hash, sha256_hex};

/// Bytes of the seed that a signing key is made of.
pub const SEED_BYTES: usize = 32;
/// Length of a sealing key's id: enough that no two of one cluster meet.
const ID_LENGTH: usize = 16;

/// Bytes of a signature.
const SIGNATURE_BYTES: usize = 64;

/// A signature, and which key it was made with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    /// Id of the sealing key.
    pub key: CompactString,
    value: [u8; SIGNATURE_BYTES],
}

impl Signature {
    /// The signature that `text` stands for, in base64url without padding. Any other text stands for one that
    /// proves nothing.
    pub fn parse(key: &str, text: &str) -> Self {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok();
        let value = bytes.and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; SIGNATURE_BYTES]);
        Self { key: key.into(), value }
    }

    /// The signature as text.
    pub fn text(&self) -> String {
        BASE64URL_NOPAD.encode(&self.value)
    }
}

/// A key that seals. Its `Debug` shows its id alone.
pub struct SigningKey {
    id: String,
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// The key that is made of `seed`; `None` where that has another length than [`SEED_BYTES`].
    pub fn from_seed(seed: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        Some(Self { id: PublicKey::of(&pair).id(), pair })
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        PublicKey::of(&self.pair)
    }

    /// Seals what has that digest.
    pub fn sign(&self, digest: &Sha256Hash) -> Signature {
        let signature = self.pair.sign(digest);
        let value = signature.as_ref().try_into().unwrap_or([0; SIGNATURE_BYTES]);
        Signature { key: self.id.as_str().into(), value }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The public half of a sealing key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(String);

impl PublicKey {
    fn of(pair: &Ed25519KeyPair) -> Self {
        Self(BASE64.encode(pair.public_key().as_ref()))
    }

    /// The beginning of its SHA-256, in hexadecimal.
    pub fn id(&self) -> String {
        let mut id = sha256_hex(self.0.as_bytes());
        id.truncate(ID_LENGTH);
        id
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        BASE64.decode(self.0.as_bytes()).ok()
    }
}

/// What a seal proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A sealing key that is trusted made it, for exactly this.
    Good,
    /// It was made for something else, or by nobody.
    Bad,
    /// It names a key that is not known.
    UnknownKey,
}

/// The public keys that are trusted, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicKeys(BTreeMap<String, Vec<u8>>);

impl PublicKeys {
    /// Those of `keys` that can be read.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a PublicKey>) -> Self {
        Self(keys.into_iter().filter_map(|key| Some((key.id(), key.bytes()?))).collect())
    }

    /// What `signature` proves of what has that digest.
    pub fn check(&self, digest: &Sha256Hash, signature: &Signature) -> Proof {
        let Some(key) = self.0.get(signature.key.as_str()) else { return Proof::UnknownKey };
        match UnparsedPublicKey::new(&ED25519, key).verify(digest, &signature.value) {
            Ok(()) => Proof::Good,
            Err(_) => Proof::Bad,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::value::digest::sha256;

    fn key(n: u8) -> SigningKey {
        SigningKey::from_seed(&[n; SEED_BYTES]).unwrap()
    }

    #[test]
    fn a_seal_is_good_for_exactly_what_was_sealed_by_a_key_that_is_known() {
        let (one, other) = (key(1), key(2));
        let keys = PublicKeys::new([&one.public()]);
        let digest = sha256(b"record");
        let seal = one.sign(&digest);
        assert_eq!(keys.check(&digest, &seal), Proof::Good);
        assert_eq!(keys.check(&sha256(b"another record"), &seal), Proof::Bad);
        assert_eq!(keys.check(&digest, &other.sign(&digest)), Proof::UnknownKey);
        let pretends = Signature { key: seal.key.clone(), ..other.sign(&digest) };
        assert_eq!(keys.check(&digest, &pretends), Proof::Bad);
        assert_eq!(Signature::parse(&seal.key, &seal.text()), seal);
        for text in ["", "AA", "not base64url!", &seal.text()[1..]] {
            let broken = Signature::parse(&seal.key, text);
            assert_eq!(keys.check(&digest, &broken), Proof::Bad, "{text}");
        }
    }

    #[test]
    fn the_same_key_seals_the_same_record_alike() {
        let digest = sha256(b"record");
        assert_eq!(key(1).sign(&digest), key(1).sign(&digest));
        assert!(SigningKey::from_seed(&[0; SEED_BYTES - 1]).is_none());
    }

    #[test]
    fn a_signing_key_does_not_show_itself() {
        let shown = format!("{:?}", key(7));
        assert!(shown.starts_with("SigningKey { id: \"") && shown.len() < 50, "{shown}");
    }
}
