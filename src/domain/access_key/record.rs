//! The record of a key's tokens, and how it is sealed: all that makes a token good, but the token. Status and
//! the key's Secret carry it; neither is believed without the controller's seal.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use crate::api::access_key::{AccessKeyStatus, PreviousTokenStatus, Seal, TokenStatus};
use crate::api::names;
use crate::domain::value::digest::Sha256Hash;
use crate::domain::value::seal::{Proof, PublicKeys, Signature, SigningKey};
use crate::domain::value::time::{parse_rfc3339, rfc3339};

/// Goes into every digest: a signature for this is good for nothing else.
const PURPOSE: &str = "iam.keyward.dev/access-key-record/v1";

/// The annotations that carry the record, and its seal.
const PARTS: [&str; 9] = [
    names::KEY_ID,
    names::SHA256,
    names::REVISION,
    names::ISSUED_AT,
    names::EXPIRES_AT,
    names::SERVICE_ACCOUNT_UID,
    names::SERIAL,
    names::PREVIOUS,
    names::SEAL,
];

/// All tokens of one key that are good, or were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The current token.
    pub token: TokenStatus,
    /// Its successor, while that is on its way into the Secret. Only status knows one.
    pub next: Option<TokenStatus>,
    /// Its predecessor, while that is good.
    pub previous: Option<PreviousTokenStatus>,
    /// UID of the service account that they were issued for.
    pub service_account_uid: String,
    /// Goes up with every token of the key.
    pub serial: i64,
}

/// Gathers what is signed. Each value is written with its length, so that no other record has the same bytes.
struct Signed(Sha256);

impl Signed {
    fn text(&mut self, text: &str) -> &mut Self {
        self.0.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(text);
        self
    }

    fn number(&mut self, number: i64) -> &mut Self {
        self.0.update(number.to_be_bytes());
        self
    }

    fn token(&mut self, token: &TokenStatus) -> &mut Self {
        let TokenStatus { id, sha256, revision, issued_at, expires_at } = token;
        self.text(id)
            .text(sha256)
            .number(*revision)
            .number(issued_at.timestamp())
            .number(expires_at.timestamp())
    }

    fn optional(&mut self, token: Option<&TokenStatus>) -> &mut Self {
        self.number(i64::from(token.is_some()));
        if let Some(token) = token {
            self.token(token);
        }
        self
    }
}

impl Record {
    /// What a status records; `None` where it has no token. One that was written before there were serials
    /// has serial 0.
    pub fn of_status(status: &AccessKeyStatus) -> Option<Self> {
        Some(Self {
            token: status.token.clone()?,
            next: status.next_token.clone(),
            previous: status.previous_token.clone(),
            service_account_uid: status.service_account_uid.clone()?,
            serial: status.serial.unwrap_or_default(),
        })
    }

    /// What is signed for the key with that UID.
    fn digest(&self, key_uid: &str) -> Sha256Hash {
        let Self { token, next, previous, service_account_uid, serial } = self;
        let mut signed = Signed(Sha256::new());
        signed.text(PURPOSE).text(key_uid).text(service_account_uid).number(*serial);
        signed.token(token).optional(next.as_ref());
        signed.optional(previous.as_ref().map(|previous| &previous.token));
        signed.number(previous.as_ref().map_or(0, |previous| previous.valid_until.timestamp()));
        signed.0.finalize().into()
    }

    /// Its seal for the key with that UID.
    pub fn seal(&self, key_uid: &str, key: &SigningKey) -> Seal {
        let signature = key.sign(&self.digest(key_uid));
        Seal { signed_by: signature.key.to_string(), signature: signature.text() }
    }

    /// What has to be proved of it.
    pub fn claim(&self, key_uid: &str, seal: &Seal) -> Claim {
        let signature = Signature::parse(&seal.signed_by, &seal.signature);
        Claim { digest: self.digest(key_uid), signature }
    }

    /// The annotations that carry it, and its seal.
    pub fn annotations(&self, seal: &Seal) -> BTreeMap<String, String> {
        let Self {
            token: TokenStatus { id, sha256, revision, issued_at, expires_at },
            next: _,
            previous,
            service_account_uid,
            serial,
        } = self;
        let previous = previous.as_ref().and_then(|previous| serde_json::to_string(previous).ok());
        let always = [
            (names::KEY_ID, id.clone()),
            (names::SHA256, sha256.clone()),
            (names::REVISION, revision.to_string()),
            (names::ISSUED_AT, rfc3339(*issued_at)),
            (names::EXPIRES_AT, rfc3339(*expires_at)),
            (names::SERVICE_ACCOUNT_UID, service_account_uid.clone()),
            (names::SERIAL, serial.to_string()),
            (names::SEAL, format!("{}:{}", seal.signed_by, seal.signature)),
        ];
        let sometimes = previous.map(|previous| (names::PREVIOUS, previous));
        always.into_iter().chain(sometimes).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Whether an annotation of that name carries a part of the record, or its seal.
    pub fn is_part(name: &str) -> bool {
        PARTS.contains(&name)
    }

    /// Reads the record; `None` where any part is missing or has another form.
    pub fn from_annotations(annotations: &BTreeMap<String, String>) -> Option<Self> {
        let text = |name: &str| annotations.get(name).cloned();
        let time = |name: &str| -> Option<DateTime<Utc>> { parse_rfc3339(annotations.get(name)?) };
        let previous = match annotations.get(names::PREVIOUS) {
            Some(previous) => Some(serde_json::from_str(previous).ok()?),
            None => None,
        };
        let serial = match annotations.get(names::SERIAL) {
            Some(serial) => serial.parse().ok()?,
            // Written before there were serials.
            None => 0,
        };
        Some(Self {
            token: TokenStatus {
                id: text(names::KEY_ID)?,
                sha256: text(names::SHA256)?,
                revision: text(names::REVISION)?.parse().ok()?,
                issued_at: time(names::ISSUED_AT)?,
                expires_at: time(names::EXPIRES_AT)?,
            },
            next: None,
            previous,
            service_account_uid: text(names::SERVICE_ACCOUNT_UID)?,
            serial,
        })
    }
}

/// A record that was not checked yet: what has to be signed, and the signature that it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    digest: Sha256Hash,
    signature: Signature,
}

impl Claim {
    /// What a status of the key with that UID claims; `None` where it has no seal.
    pub fn of_status(key_uid: &str, status: &AccessKeyStatus) -> Option<Self> {
        Some(Record::of_status(status)?.claim(key_uid, status.seal.as_ref()?))
    }

    /// Checks it.
    pub fn check(&self, keys: &PublicKeys) -> Proof {
        keys.check(&self.digest, &self.signature)
    }
}

/// What is known of seals: the keys that are trusted, and whether a record without a seal may still be one
/// from before there were seals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// The public halves of all sealing keys.
    pub keys: PublicKeys,
    /// Tokens from before there were seals are still being sealed. Then one without any seal is believed.
    pub adopting: bool,
}

/// Why a recorded token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// It has no seal, or one that was made for something else.
    NotSealed,
    /// It was sealed by a key that this installation does not know: restored from elsewhere, or forged.
    UnknownSealer,
}

impl Trust {
    /// Whether the tokens of a status are to be believed.
    ///
    /// # Errors
    /// Why not.
    pub fn of_status(&self, key_uid: &str, status: &AccessKeyStatus) -> Result<(), Distrust> {
        let named = status.token.is_some() || status.next_token.is_some() || status.previous_token.is_some();
        match (Claim::of_status(key_uid, status), &status.seal) {
            // Nothing is claimed.
            (None, _) if !named && status.service_account_uid.is_none() => Ok(()),
            (None, None) if self.adopting => Ok(()),
            (None, _) => Err(Distrust::NotSealed),
            (Some(claim), _) => self.proved(&claim),
        }
    }

    fn proved(&self, claim: &Claim) -> Result<(), Distrust> {
        match claim.check(&self.keys) {
            Proof::Good => Ok(()),
            Proof::Bad => Err(Distrust::NotSealed),
            Proof::UnknownKey => Err(Distrust::UnknownSealer),
        }
    }

    /// What a Secret's annotations record for the key with that UID.
    pub fn of_annotations(&self, key_uid: &str, annotations: &BTreeMap<String, String>) -> SecretRecord {
        let Some(record) = Record::from_annotations(annotations) else {
            let claims = annotations.keys().any(|name| Record::is_part(name));
            return if claims { SecretRecord::Distrusted(Distrust::NotSealed) } else { SecretRecord::None };
        };
        let seal = annotations.get(names::SEAL).and_then(|seal| seal.split_once(':'));
        let Some((signed_by, signature)) = seal else {
            return SecretRecord::Distrusted(Distrust::NotSealed);
        };
        let seal = Seal { signed_by: signed_by.into(), signature: signature.into() };
        match self.proved(&record.claim(key_uid, &seal)) {
            Ok(()) => SecretRecord::Sealed(Box::new(record)),
            Err(why) => SecretRecord::Distrusted(why),
        }
    }
}

/// What the annotations of a Secret say about the token in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRecord {
    /// Nothing.
    None,
    /// Something that is not believed.
    Distrusted(Distrust),
    /// What the controller sealed for this very key.
    Sealed(Box<Record>),
}

impl SecretRecord {
    /// What was sealed.
    pub fn sealed(&self) -> Option<&Record> {
        match self {
            Self::Sealed(record) => Some(record),
            Self::None | Self::Distrusted(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "key-uid";

    fn token(id: &str) -> TokenStatus {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        TokenStatus {
            id: id.into(),
            sha256: format!("hash-of-{id}"),
            revision: 1,
            issued_at: at(1_700_000_000),
            expires_at: at(1_800_000_000),
        }
    }

    fn record() -> Record {
        let valid_until = DateTime::from_timestamp(1_750_000_000, 0).unwrap();
        Record {
            token: token("k2"),
            next: None,
            previous: Some(PreviousTokenStatus { token: token("k1"), valid_until }),
            service_account_uid: "sa-uid".into(),
            serial: 7,
        }
    }

    fn key(n: u8) -> SigningKey {
        SigningKey::from_seed(&[n; 32]).unwrap()
    }

    fn trust(adopting: bool) -> Trust {
        Trust { keys: PublicKeys::new([&key(1).public()]), adopting }
    }

    fn status(record: &Record, seal: Option<Seal>) -> AccessKeyStatus {
        let Record { token, next, previous, service_account_uid, serial } = record.clone();
        AccessKeyStatus {
            token: Some(token),
            next_token: next,
            previous_token: previous,
            service_account_uid: Some(service_account_uid),
            serial: Some(serial),
            seal,
            ..AccessKeyStatus::default()
        }
    }

    #[test]
    fn a_sealed_record_reads_back_from_annotations_and_from_status() {
        let record = record();
        let seal = record.seal(KEY, &key(1));
        let annotations = record.annotations(&seal);
        assert!(annotations.keys().all(|name| Record::is_part(name)));
        assert_eq!(
            trust(false).of_annotations(KEY, &annotations),
            SecretRecord::Sealed(Box::new(record.clone()))
        );
        assert_eq!(trust(false).of_status(KEY, &status(&record, Some(seal))), Ok(()));
    }

    #[test]
    fn a_seal_covers_every_part_and_the_key() {
        let sealed = record();
        let seal = sealed.seal(KEY, &key(1));
        let mut changed = Vec::new();
        let mut change = |what: &'static str, change: fn(&mut Record)| {
            let mut record = sealed.clone();
            change(&mut record);
            changed.push((what, record));
        };
        change("id", |r| r.token.id = "k3".into());
        change("hash", |r| r.token.sha256 = "another".into());
        change("revision", |r| r.token.revision = 2);
        change("issue", |r| r.token.issued_at += chrono::TimeDelta::seconds(1));
        change("expiry", |r| r.token.expires_at += chrono::TimeDelta::seconds(1));
        change("service account", |r| r.service_account_uid = "another".into());
        change("serial", |r| r.serial = 8);
        change("next", |r| r.next = Some(token("k3")));
        change("no previous", |r| r.previous = None);
        change("previous for longer", |r| {
            r.previous.as_mut().unwrap().valid_until += chrono::TimeDelta::seconds(1);
        });
        change("previous as next", |r| r.next = r.previous.take().map(|previous| previous.token));
        for (what, record) in changed {
            let found = trust(true).of_status(KEY, &status(&record, Some(seal.clone())));
            assert_eq!(found, Err(Distrust::NotSealed), "{what}");
            if record.next.is_none() {
                let found = trust(true).of_annotations(KEY, &record.annotations(&seal));
                assert_eq!(found, SecretRecord::Distrusted(Distrust::NotSealed), "{what}");
            }
        }
        let found = trust(false).of_status("another-key", &status(&sealed, Some(seal)));
        assert_eq!(found, Err(Distrust::NotSealed));
    }

    #[test]
    fn what_is_believed_of_a_status() {
        let record = record();
        let (good, unknown) = (record.seal(KEY, &key(1)), record.seal(KEY, &key(2)));
        let all = status(&record, None);
        let sealed = |seal: &Seal| AccessKeyStatus { seal: Some(seal.clone()), ..all.clone() };
        let next_alone = AccessKeyStatus { next_token: Some(token("k3")), ..AccessKeyStatus::default() };
        let uid_alone =
            AccessKeyStatus { service_account_uid: Some("u".into()), ..AccessKeyStatus::default() };
        for (what, status, adopting, believed) in [
            ("nothing is claimed", AccessKeyStatus::default(), false, Ok(())),
            ("sealed", sealed(&good), false, Ok(())),
            ("sealed by another", sealed(&unknown), false, Err(Distrust::UnknownSealer)),
            ("sealed by another, while adopting", sealed(&unknown), true, Err(Distrust::UnknownSealer)),
            ("without a seal", all.clone(), false, Err(Distrust::NotSealed)),
            ("without a seal, while adopting", all.clone(), true, Ok(())),
            ("a next token alone", next_alone, false, Err(Distrust::NotSealed)),
            ("a service account alone", uid_alone, false, Err(Distrust::NotSealed)),
        ] {
            assert_eq!(trust(adopting).of_status(KEY, &status), believed, "{what}");
        }
    }

    #[test]
    fn annotations_without_a_seal_are_never_believed() {
        let record = record();
        let mut annotations = record.annotations(&record.seal(KEY, &key(1)));
        annotations.remove(names::SEAL);
        for adopting in [false, true] {
            let found = trust(adopting).of_annotations(KEY, &annotations);
            assert_eq!(found, SecretRecord::Distrusted(Distrust::NotSealed));
        }
        annotations.remove(names::SHA256);
        assert_eq!(Record::from_annotations(&annotations), None);
        assert_eq!(trust(false).of_annotations(KEY, &BTreeMap::new()), SecretRecord::None);
    }
}
