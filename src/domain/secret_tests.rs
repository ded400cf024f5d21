//! Secrets: rendering, the record in annotations, inspection.

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
        service_account_uid: "sa-uid".into(),
    }
}

fn map<V>(pairs: &[(&str, &str)], value: fn(String) -> V) -> BTreeMap<String, V> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), value((*v).to_owned()))).collect()
}

fn spec(secret: Option<SecretSpec>) -> AccessKeySpec {
    AccessKeySpec { service_account_name: "ci".into(), secret, ..AccessKeySpec::default() }
}

fn owner(spec: &AccessKeySpec) -> Owner<'_> {
    Owner { spec, name: "deploy", account: "team-a" }
}

fn text(content: &Content, key: &str) -> String {
    String::from_utf8(content.data[key].clone()).unwrap()
}

#[test]
fn the_default_data_has_four_entries() {
    let spec = spec(None);
    let content = owner(&spec).content(&token(), &record());
    assert_eq!(content.data.keys().collect::<Vec<_>>(), ["expires-at", "key-id", "service-account", "token"]);
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
    let content = owner(&spec).content(&token(), &record());
    assert_eq!(content.data.len(), 1);
    assert_eq!(text(&content, "auth.conf"), format!("user=team-a/ci bearer={} $(unknown)", token().reveal()));
    assert_eq!(owner(&spec).secret_name(), "other");
}

#[test]
fn a_record_reads_back_from_its_annotations() {
    assert_eq!(Record::from_annotations(&record().annotations()), Some(record()));
    let mut annotations = record().annotations();
    annotations.remove(names::SHA256);
    assert_eq!(Record::from_annotations(&annotations), None);
}

fn holds(found: &Content, spec: &AccessKeySpec, own: &OwnedNames) -> Holds {
    inspect(found, &owner(spec), &[record()], own)
}

#[test]
fn inspection_tells_what_differs() {
    let labels = Some(map(&[("team", "a")], LabelValue));
    let annotations = Some(map(&[("note", "x")], AnnotationValue));
    let spec = spec(Some(SecretSpec { labels, annotations, ..SecretSpec::default() }));
    let good = owner(&spec).content(&token(), &record());
    let own = OwnedNames { labels: vec!["team".into()], annotations: vec!["note".into()] };
    let token_as = |as_asked| Holds::Token { sha256: token().sha256(), as_asked };
    let changed = |change: fn(&mut Content)| {
        let mut content = good.clone();
        change(&mut content);
        holds(&content, &spec, &own)
    };

    assert_eq!(holds(&good, &spec, &own), token_as(true));
    assert_eq!(changed(|c| drop(c.labels.insert("added-by-someone".into(), "1".into()))), token_as(true));
    assert_eq!(changed(|c| drop(c.labels.insert("team".into(), "b".into()))), token_as(false));
    assert_eq!(changed(|c| drop(c.annotations.remove("note"))), token_as(false));
    assert_eq!(changed(|c| drop(c.data.insert("key-id".into(), b"x".to_vec()))), token_as(false));
    assert_eq!(changed(|c| drop(c.data.insert("extra".into(), b"x".to_vec()))), token_as(false));
    assert_eq!(changed(|c| drop(c.data.insert("token".into(), b"x".to_vec()))), Holds::Nothing);
    assert_eq!(changed(|c| c.data.clear()), Holds::Nothing);

    let stale = OwnedNames { labels: vec!["team".into(), "no-longer-asked-for".into()], annotations: vec![] };
    assert_eq!(holds(&good, &spec, &stale), token_as(false));
}

#[test]
fn an_unknown_token_is_never_as_asked() {
    let spec = spec(None);
    let other = Token::from_random(&(0..=255).rev().collect::<Vec<u8>>()).unwrap();
    let mut content = owner(&spec).content(&token(), &record());
    content.data.insert("token".into(), other.reveal().into());
    assert_eq!(
        holds(&content, &spec, &OwnedNames::default()),
        Holds::Token { sha256: other.sha256(), as_asked: false }
    );
}

#[test]
fn without_its_token_a_secret_keeps_the_rest() {
    let spec = spec(None);
    let mut present = owner(&spec).content(&token(), &record()).data;
    present.insert("extra".into(), token().reveal().into());
    let rest = owner(&spec).without_token(&present);
    assert_eq!(rest.keys().collect::<Vec<_>>(), ["expires-at", "key-id", "service-account"]);
}
