use std::collections::BTreeMap;

use super::*;
use crate::api::access_key::DataTemplate;
use crate::api::shared::{LabelValue, NamespaceName};
use crate::domain::token::RANDOM_BYTES;
use proptest::prelude::*;

fn entry(name: &str, data: &[(&str, &str)]) -> PublishSpec {
    PublishSpec {
        name: name.into(),
        namespace: None,
        type_: None,
        labels: None,
        annotations: None,
        data: data.iter().map(|(key, text)| ((*key).to_owned(), DataTemplate((*text).to_owned()))).collect(),
    }
}

fn spec(entries: Vec<PublishSpec>) -> AccessKeySpec {
    AccessKeySpec { service_account_name: "ci".into(), publish: Some(entries), ..AccessKeySpec::default() }
}

fn token(byte: u8) -> (Token, TokenStatus) {
    let token = Token::from_random(&[byte; RANDOM_BYTES]).unwrap();
    let status = TokenStatus {
        id: token.id().into(),
        sha256: token.sha256(),
        revision: 1,
        issued_at: "2026-08-31T12:00:00Z".parse().unwrap(),
        expires_at: "2027-02-28T12:00:00Z".parse().unwrap(),
    };
    (token, status)
}

fn names(wanted: &[Wanted<'_>]) -> Vec<String> {
    wanted.iter().map(|wanted| format!("{}/{}", wanted.place.namespace, wanted.place.name)).collect()
}

#[test]
fn copies_with_the_previous_token_come_first_and_only_while_there_is_one() {
    let mut elsewhere = entry("far", &[("key", "$(token)")]);
    elsewhere.namespace = Some(NamespaceName("gateway".into()));
    let spec = spec(vec![
        entry("now", &[("key", "$(token)")]),
        entry("before", &[("key", "$(previousToken)")]),
        elsewhere,
    ]);
    let owner = Owner { spec: &spec, name: "deploy", account: "team-a" };
    let (current, previous) = (token(1).1, token(2).1);
    for (previous, accepting, expected) in [
        (None, vec![], vec!["team-a/now"]),
        (Some(&previous), vec![], vec!["team-a/before", "team-a/now"]),
        (None, vec!["gateway".to_owned()], vec!["team-a/now", "gateway/far"]),
    ] {
        assert_eq!(names(&wanted(&owner, &current, previous, &accepting)), expected);
    }
    let refused: Vec<String> = not_accepted(&owner, &[]).into_iter().map(|place| place.name).collect();
    assert_eq!(refused, ["far"]);
    assert_eq!(other_namespaces(&spec, "team-a").collect::<Vec<_>>(), ["gateway"]);
}

#[test]
fn a_copy_holds_what_its_gateway_reads_and_says_whose_it_is() {
    let mut map =
        entry("map", &[("ci", "$(token)"), ("ci-previous", "$(previousToken)"), ("who", "$(keyId)")]);
    map.labels = Some([("gateway".to_owned(), LabelValue("yes".into()))].into());
    let spec = spec(vec![map]);
    let owner = Owner { spec: &spec, name: "deploy", account: "team-a" };
    let ((now, issued), (before, old)) = (token(1), token(2));
    let wanted = wanted(&owner, &issued, Some(&old), &[]);
    let content_of = |previous| content(&owner, "key-uid", &wanted[0], (&now, &issued), previous).unwrap();
    let found = content_of(Some(&before));
    let text = |data: &BTreeMap<String, Vec<u8>>| -> Vec<(String, String)> {
        data.iter().map(|(k, v)| (k.clone(), String::from_utf8(v.clone()).unwrap())).collect()
    };
    let shown = text(&found.data);
    assert!(shown[0] == ("ci".into(), now.reveal().into()), "the token");
    assert!(shown[1] == ("ci-previous".into(), before.reveal().into()), "the token before it");
    assert_eq!(shown[2], ("who".into(), now.id().into()));
    assert_eq!((found.type_.as_str(), found.labels["gateway"].as_str()), ("Opaque", "yes"));
    assert_eq!(found.annotations["iam.keyward.dev/published-by"], "team-a/deploy");
    assert_eq!(found.annotations["iam.keyward.dev/published-by-uid"], "key-uid");
    assert_eq!(content_of(None).data.into_keys().collect::<Vec<_>>(), ["ci", "who"]);
    let only_before = self::spec(vec![entry("before", &[("key", "$(previousToken)")])]);
    let owner = Owner { spec: &only_before, ..owner };
    let wanted = super::wanted(&owner, &issued, Some(&old), &[]);
    assert!(content(&owner, "key-uid", &wanted[0], (&now, &issued), None).is_none(), "nothing is left of it");
}

proptest! {
    #[test]
    fn what_a_copy_is_made_of_differs_exactly_where_its_parts_do(
        a in (any::<bool>(), 1u8..4, prop::option::of(1u8..4)),
        b in (any::<bool>(), 1u8..4, prop::option::of(1u8..4)),
    ) {
        let made_of = |(bearer, current, previous): (bool, u8, Option<u8>)| {
            let text = if bearer { "Bearer $(token)" } else { "$(token)" };
            let spec = spec(vec![entry("copy", &[("key", text)])]);
            let owner = Owner { spec: &spec, name: "deploy", account: "team-a" };
            let previous = previous.map(|previous| token(previous).1);
            wanted(&owner, &token(current).1, previous.as_ref(), &[])[0].made_of.clone()
        };
        prop_assert_eq!(a == b, made_of(a) == made_of(b));
    }
}
