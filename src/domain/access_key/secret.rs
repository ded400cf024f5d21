//! What a key's Secret should hold, and what one that was read holds.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use zeroize::Zeroizing;

use crate::api::access_key::{AnnotationValue, DataTemplate, Seal, SecretSpec, TokenStatus};
use crate::api::shared::LabelValue;
use crate::api::{AccessKeySpec, SECRET_TYPE, names};
use crate::domain::access_key::record::Record;
use crate::domain::value::time::rfc3339;
use crate::domain::value::token::Token;

const TOKEN: &str = "$(token)";
const PREVIOUS: &str = "$(previousToken)";

/// The words that are replaced in a Secret's data, between `$(` and `)`.
pub const PLACEHOLDERS: [&str; 5] = ["token", "keyId", "serviceAccount", "account", "expiresAt"];
/// The word that is replaced in published Secrets too.
pub const PREVIOUS_TOKEN: &str = "previousToken";

/// Whether a template holds a token, of whatever age.
pub fn holds_token(template: &str) -> bool {
    template.contains(TOKEN) || template.contains(PREVIOUS)
}

/// Whether a template is only there while a previous token is good.
pub fn holds_previous(template: &str) -> bool {
    template.contains(PREVIOUS)
}

/// The data of a Secret whose key asks for none of its own.
const DEFAULT_DATA: [(&str, &str); 4] = [
    ("token", TOKEN),
    ("key-id", "$(keyId)"),
    ("service-account", "$(serviceAccount)"),
    ("expires-at", "$(expiresAt)"),
];

/// A Secret's data. Each value is wiped from memory when dropped.
pub type Data = BTreeMap<String, Zeroizing<Vec<u8>>>;

/// Labels, annotations and data as a Secret has them or should have them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// The Secret's type.
    pub type_: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its data. It may hold a token, so this type has no `Debug`.
    pub data: Data,
}

/// The names that go into a Secret's data.
#[derive(Clone, Copy, Debug)]
pub struct SecretOwner<'a> {
    /// The key's spec.
    pub spec: &'a AccessKeySpec,
    /// The key's name.
    pub name: &'a str,
    /// The key's namespace, which is its account.
    pub account: &'a str,
}

impl<'a> SecretOwner<'a> {
    /// The name of the key's Secret.
    pub fn secret_name(&self) -> &'a str {
        self.spec.secret.as_ref().and_then(|secret| secret.name.as_deref()).unwrap_or(self.name)
    }

    /// The Secret with `token` in it, and a sealed record of it.
    pub fn content(&self, token: &Token, record: &Record, seal: &Seal) -> Content {
        let mut content = self.unrecorded(token, &record.token);
        content.annotations.extend(record.annotations(seal));
        content
    }

    /// The same without the record.
    fn unrecorded(&self, token: &Token, issued: &TokenStatus) -> Content {
        let render =
            |(key, template): (&str, &str)| (key.to_owned(), self.render(template, token, None, issued));
        Content {
            type_: SECRET_TYPE.into(),
            labels: self.labels(),
            annotations: self.own_annotations(),
            data: self.templates().into_iter().map(render).collect(),
        }
    }

    /// The data that stays once `token` has expired: only what holds no part of a token. It is read from the
    /// Secret's present data, so nothing needs the token.
    pub fn without_token(&self, present: &Data) -> Data {
        let templates = self.templates();
        let keeps = |key: &str, value: &[u8]| {
            templates.iter().any(|(name, template)| *name == key && !template.contains(TOKEN))
                && token_in(value).is_none()
        };
        present.iter().filter(|(key, value)| keeps(key, value)).map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// The data of a published Secret. Entries that hold the previous token are left out where there is none;
    /// `None` where no token is left then.
    pub fn published_data(
        &self,
        templates: &BTreeMap<String, DataTemplate>,
        (token, issued): (&Token, &TokenStatus),
        previous: Option<&Token>,
    ) -> Option<Data> {
        let render = |template: &str| self.render(template, token, previous, issued);
        let there =
            templates.iter().filter(|(_, template)| previous.is_some() || !template.0.contains(PREVIOUS));
        let (data, tokens): (BTreeMap<_, _>, Vec<bool>) = there
            .map(|(key, template)| ((key.clone(), render(&template.0)), holds_token(&template.0)))
            .unzip();
        tokens.contains(&true).then_some(data)
    }

    fn templates(&self) -> Vec<(&str, &str)> {
        match self.spec.secret.as_ref().and_then(|secret| secret.data.as_ref()) {
            Some(data) => data.iter().map(|(key, template)| (key.as_str(), template.0.as_str())).collect(),
            None => DEFAULT_DATA.to_vec(),
        }
    }

    fn render(
        &self,
        template: &str,
        token: &Token,
        previous: Option<&Token>,
        issued: &TokenStatus,
    ) -> Zeroizing<Vec<u8>> {
        let public = template
            .replace("$(keyId)", &issued.id)
            .replace("$(serviceAccount)", &self.spec.service_account_name)
            .replace("$(account)", self.account)
            .replace("$(expiresAt)", &rfc3339(issued.expires_at));
        let with_previous = match previous {
            Some(previous) => filled(&public, PREVIOUS, previous),
            None => Zeroizing::new(public),
        };
        Zeroizing::new(std::mem::take(&mut *filled(&with_previous, TOKEN, token)).into_bytes())
    }

    /// Whether a Secret has all labels and annotations that are asked for.
    pub fn is_marked(&self, found: &ObjectMeta) -> bool {
        let has = |wanted: BTreeMap<String, String>, found: Option<&BTreeMap<String, String>>| {
            wanted.iter().all(|(key, value)| found.and_then(|found| found.get(key)) == Some(value))
        };
        has(self.labels(), found.labels.as_ref()) && has(self.own_annotations(), found.annotations.as_ref())
    }

    fn labels(&self) -> BTreeMap<String, String> {
        labels(self.spec.secret.as_ref().and_then(|SecretSpec { labels, .. }| labels.as_ref()))
    }

    fn own_annotations(&self) -> BTreeMap<String, String> {
        annotations(self.spec.secret.as_ref().and_then(|SecretSpec { annotations, .. }| annotations.as_ref()))
    }
}

/// The text with the token for each `word`. It never grows, so that no copy of the token stays behind.
fn filled(text: &str, word: &str, token: &Token) -> Zeroizing<String> {
    let places = text.matches(word).count();
    let mut filled = Zeroizing::new(String::with_capacity(text.len() + places * token.reveal().len()));
    for (at, part) in text.split(word).enumerate() {
        if at > 0 {
            filled.push_str(token.reveal());
        }
        filled.push_str(part);
    }
    filled
}

/// The labels that are asked for, and Keyward's own.
pub fn labels(requested: Option<&BTreeMap<String, LabelValue>>) -> BTreeMap<String, String> {
    let mut labels: BTreeMap<_, _> =
        requested.into_iter().flatten().map(|(key, value)| (key.clone(), value.0.clone())).collect();
    labels.insert(names::MANAGED_BY.into(), names::KEYWARD.into());
    labels
}

/// The annotations that are asked for.
pub fn annotations(requested: Option<&BTreeMap<String, AnnotationValue>>) -> BTreeMap<String, String> {
    requested.into_iter().flatten().map(|(key, value)| (key.clone(), value.0.clone())).collect()
}

/// What a Secret was found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// It was not read, because this version of it was checked before.
    Unread,
    /// No token.
    Nothing,
    /// A token.
    Token {
        /// Its hash.
        sha256: String,
        /// The token is a known one, and all else is as requested too.
        as_requested: bool,
    },
}

/// Looks at a Secret that was read: which token it holds, and whether all of it is as requested. `known` are
/// the tokens that status names, and `sealed` is what the Secret itself records with a good seal. `own` are
/// the names that Keyward set on it, so that one no longer asked for is noticed.
pub fn inspect(
    found: &Content,
    owner: &SecretOwner<'_>,
    known: &[TokenStatus],
    sealed: Option<&Record>,
    own: &OwnedNames,
) -> Holds {
    let Some(token) = found.data.values().find_map(|value| token_in(value)) else {
        return Holds::Nothing;
    };
    // With nothing in status, what the Secret records may become the status.
    let recorded = known.iter().chain(sealed.map(|record| &record.token));
    let issued = recorded.clone().find(|issued| token.has_sha256(&issued.sha256));
    let as_requested = issued.is_some_and(|issued| {
        sealed.is_some_and(|record| record.token == *issued)
            && as_wanted(&without_record(found), &owner.unrecorded(&token, issued), &own.without_record())
    });
    Holds::Token { sha256: token.sha256(), as_requested }
}

fn without_record(found: &Content) -> Content {
    let mut content = found.clone();
    content.annotations.retain(|name, _| !Record::is_part(name));
    content
}

/// The token in a Secret's value, also in the middle of a longer text.
pub fn token_in(value: &[u8]) -> Option<Token> {
    std::str::from_utf8(value).ok().and_then(Token::find_in)
}

/// Whether `found` is as `wanted`, whatever labels and annotations others added to it.
pub fn as_wanted(found: &Content, wanted: &Content, own: &OwnedNames) -> bool {
    found.type_ == wanted.type_
        && found.data == wanted.data
        && own.is_exactly(wanted)
        && contains(&found.labels, &wanted.labels)
        && contains(&found.annotations, &wanted.annotations)
}

fn contains(found: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, value)| found.get(key) == Some(value))
}

/// The labels and annotations of an object that Keyward set, as the API server's `managedFields` record them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedNames {
    /// Names of labels.
    pub labels: Vec<String>,
    /// Names of annotations.
    pub annotations: Vec<String>,
}

impl OwnedNames {
    fn without_record(&self) -> Self {
        let mut own = self.clone();
        own.annotations.retain(|name| !Record::is_part(name));
        own
    }

    fn is_exactly(&self, wanted: &Content) -> bool {
        self.labels.iter().all(|name| wanted.labels.contains_key(name))
            && self.annotations.iter().all(|name| wanted.annotations.contains_key(name))
    }
}

#[cfg(test)]
mod tests {
    //! Secrets: rendering, the record in annotations, inspection.

    use chrono::DateTime;

    use super::*;
    use crate::api::access_key::{AnnotationValue, DataTemplate};
    use crate::api::shared::LabelValue;

    fn token() -> Token {
        Token::from_random(&(0..=255).collect::<Vec<u8>>()).unwrap()
    }

    fn record() -> Record {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let token = token();
        Record {
            token: TokenStatus {
                id: token.id().into(),
                sha256: token.sha256(),
                revision: 2,
                issued_at: at(1_700_000_000),
                expires_at: at(1_800_000_000),
            },
            next: None,
            previous: None,
            service_account_uid: "sa-uid".into(),
            serial: 7,
        }
    }

    fn seal() -> Seal {
        Seal { signed_by: "sealing-key".into(), signature: "signature".into() }
    }

    fn map<V>(pairs: &[(&str, &str)], value: fn(String) -> V) -> BTreeMap<String, V> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), value((*v).to_owned()))).collect()
    }

    fn spec(secret: Option<SecretSpec>) -> AccessKeySpec {
        AccessKeySpec { service_account_name: "ci".into(), secret, ..AccessKeySpec::default() }
    }

    fn owner(spec: &AccessKeySpec) -> SecretOwner<'_> {
        SecretOwner { spec, name: "deploy", account: "team-a" }
    }

    fn text(content: &Content, key: &str) -> String {
        String::from_utf8(content.data[key].to_vec()).unwrap()
    }

    #[test]
    fn the_default_data_has_four_entries() {
        let spec = spec(None);
        let content = owner(&spec).content(&token(), &record(), &seal());
        assert_eq!(
            content.data.keys().collect::<Vec<_>>(),
            ["expires-at", "key-id", "service-account", "token"]
        );
        assert_eq!(text(&content, "token"), token().reveal());
        assert_eq!(text(&content, "key-id"), token().id());
        assert_eq!(text(&content, "service-account"), "ci");
        assert_eq!(text(&content, "expires-at"), "2027-01-15T08:00:00Z");
        assert_eq!(owner(&spec).secret_name(), "deploy");
        assert_eq!(content.labels["app.kubernetes.io/managed-by"], "keyward");
    }

    #[test]
    fn data_of_its_own_replaces_the_default_whole() {
        let data = Some(map(
            &[("auth.conf", "user=$(account)/$(serviceAccount) bearer=$(token) $(unknown)")],
            DataTemplate,
        ));
        let spec = spec(Some(SecretSpec { name: Some("other".into()), data, ..SecretSpec::default() }));
        let content = owner(&spec).content(&token(), &record(), &seal());
        assert_eq!(content.data.len(), 1);
        assert_eq!(
            text(&content, "auth.conf"),
            format!("user=team-a/ci bearer={} $(unknown)", token().reveal())
        );
        assert_eq!(owner(&spec).secret_name(), "other");
    }

    fn holds(found: &Content, spec: &AccessKeySpec, own: &OwnedNames) -> Holds {
        inspect(found, &owner(spec), &[record().token], Some(&record()), own)
    }

    #[test]
    fn inspection_tells_what_differs() {
        let labels = Some(map(&[("team", "a")], LabelValue));
        let annotations = Some(map(&[("note", "x")], AnnotationValue));
        let spec = spec(Some(SecretSpec { labels, annotations, ..SecretSpec::default() }));
        let good = owner(&spec).content(&token(), &record(), &seal());
        let own = OwnedNames { labels: vec!["team".into()], annotations: vec!["note".into()] };
        let token_as = |as_requested| Holds::Token { sha256: token().sha256(), as_requested };
        let changed = |change: fn(&mut Content)| {
            let mut content = good.clone();
            change(&mut content);
            holds(&content, &spec, &own)
        };

        assert_eq!(holds(&good, &spec, &own), token_as(true));
        assert_eq!(changed(|c| drop(c.labels.insert("added-by-someone".into(), "1".into()))), token_as(true));
        assert_eq!(changed(|c| drop(c.labels.insert("team".into(), "b".into()))), token_as(false));
        assert_eq!(changed(|c| drop(c.annotations.remove("note"))), token_as(false));
        assert_eq!(changed(|c| drop(c.data.insert("key-id".into(), b"x".to_vec().into()))), token_as(false));
        assert_eq!(changed(|c| drop(c.data.insert("extra".into(), b"x".to_vec().into()))), token_as(false));
        assert_eq!(changed(|c| drop(c.data.insert("token".into(), b"x".to_vec().into()))), Holds::Nothing);
        assert_eq!(changed(|c| c.data.clear()), Holds::Nothing);

        let stale =
            OwnedNames { labels: vec!["team".into(), "no-longer-asked-for".into()], annotations: vec![] };
        assert_eq!(holds(&good, &spec, &stale), token_as(false));
    }

    #[test]
    fn an_unknown_token_is_never_as_requested() {
        let spec = spec(None);
        let other = Token::from_random(&(0..=255).rev().collect::<Vec<u8>>()).unwrap();
        let mut content = owner(&spec).content(&token(), &record(), &seal());
        content.data.insert("token".into(), other.reveal().as_bytes().to_vec().into());
        assert_eq!(
            holds(&content, &spec, &OwnedNames::default()),
            Holds::Token { sha256: other.sha256(), as_requested: false }
        );
    }

    #[test]
    fn without_its_token_a_secret_keeps_the_rest() {
        let spec = spec(None);
        let mut present = owner(&spec).content(&token(), &record(), &seal()).data;
        present.insert("extra".into(), token().reveal().as_bytes().to_vec().into());
        let rest = owner(&spec).without_token(&present);
        assert_eq!(rest.keys().collect::<Vec<_>>(), ["expires-at", "key-id", "service-account"]);
    }

    #[test]
    fn fuzzed_templates_keep_the_token_in_its_own_words_place() {
        let word = format!("user=$(account) bearer={TOKEN}");
        crate::fuzz::texts(&[TOKEN, PREVIOUS, &word, "$(keyId):$(expiresAt)"], |template| {
            let data = BTreeMap::from([("entry".to_owned(), DataTemplate(template.to_owned()))]);
            let spec = spec(Some(SecretSpec { data: Some(data.clone()), ..SecretSpec::default() }));
            let (owner, token) = (owner(&spec), token());
            let has_token = |value: &[u8]| String::from_utf8_lossy(value).contains(token.reveal());
            let content = owner.content(&token, &record(), &seal());
            assert_eq!(has_token(&content.data["entry"]), template.contains(TOKEN));
            let published = owner.published_data(&data, (&token, &record().token), None);
            assert_eq!(published.is_some(), template.contains(TOKEN) && !template.contains(PREVIOUS));
            assert!(owner.without_token(&content.data).values().all(|value| !has_token(value)));
        });
    }
}
