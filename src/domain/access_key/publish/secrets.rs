//! Copies of a token for gateways that read Secrets themselves: which ones should exist, and what is in them.

use serde::Serialize;

use crate::api::AccessKeySpec;
use crate::api::access_key::{PublishSpec, TokenStatus};
use crate::api::names;
use crate::domain::access_key::secret::{
    Content, SecretOwner, annotations, holds_previous, holds_token, labels,
};
use crate::domain::value::digest::sha256_hex;
use crate::domain::value::token::Token;

/// The type of a published Secret that asks for none.
const OPAQUE: &str = "Opaque";

/// Namespace and name of a Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamespacedName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A Secret that was published for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedSecret {
    /// What it is called.
    pub id: NamespacedName,
    /// Its UID.
    pub uid: String,
    /// Its version.
    pub resource_version: String,
    /// What it was made of, as a hash.
    pub made_of: Option<String>,
    /// This version of it was found to be as requested.
    pub checked: bool,
}

/// What is known of a key's published Secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Those that exist.
    pub secrets: Vec<PublishedSecret>,
    /// Names that a Secret of someone else has, as the last attempt found.
    pub conflicts: Vec<NamespacedName>,
    /// Names of Secrets with a previous token that is no longer to be found anywhere.
    pub lost: Vec<NamespacedName>,
    /// Other namespaces that accept the key's Secrets.
    pub accepting: Vec<String>,
}

impl Published {
    /// Records what was found under a name: the key's published Secret, or someone else's.
    pub fn record(&mut self, name: &NamespacedName, found: Option<PublishedSecret>) {
        match found {
            Some(secret) => self.secrets.push(secret),
            None => self.conflicts.push(name.clone()),
        }
    }
}

/// The tokens that published Secrets are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// The one in the key's Secret.
    pub current: TokenStatus,
    /// Its predecessor, while that is good.
    pub previous: Option<TokenStatus>,
}

/// One Secret that should exist.
#[derive(Clone, Debug)]
pub struct DesiredSecret<'a> {
    /// What it asks for.
    pub entry: &'a PublishSpec,
    /// What it is called.
    pub id: NamespacedName,
    /// What it is made of, as a hash.
    pub made_of: String,
}

/// The Secrets that should exist while `current` is good, and `previous` beside it. Those with a previous
/// token come first: they are written while another Secret still holds it.
pub fn desired<'a>(
    owner: &SecretOwner<'a>,
    current: &TokenStatus,
    previous: Option<&TokenStatus>,
    accepting: &[String],
) -> Vec<DesiredSecret<'a>> {
    let accepted = |entry: &&PublishSpec| accepts(accepting, owner.account, entry);
    let mut entries: Vec<&PublishSpec> =
        entries(owner.spec).filter(accepted).filter(|entry| has_token(entry, previous.is_some())).collect();
    entries.sort_by_key(|entry| !entry.data.values().any(|template| holds_previous(&template.0)));
    let desired = |entry: &'a PublishSpec| DesiredSecret {
        entry,
        id: id(entry, owner.account),
        made_of: made_of(owner, entry, current, previous),
    };
    entries.into_iter().map(desired).collect()
}

/// Those that another namespace does not accept.
pub fn not_accepted(owner: &SecretOwner<'_>, accepting: &[String]) -> Vec<NamespacedName> {
    let refused = entries(owner.spec).filter(|entry| !accepts(accepting, owner.account, entry));
    refused.map(|entry| id(entry, owner.account)).collect()
}

fn entries(spec: &AccessKeySpec) -> impl Iterator<Item = &PublishSpec> {
    spec.publish.iter().flatten()
}

/// Other namespaces that the key asks to publish into.
pub fn other_namespaces<'a>(spec: &'a AccessKeySpec, account: &'a str) -> impl Iterator<Item = &'a str> {
    entries(spec)
        .filter_map(|entry| entry.namespace.as_ref())
        .map(|name| name.0.as_str())
        .filter(move |n| *n != account)
}

fn accepts(accepting: &[String], account: &str, entry: &PublishSpec) -> bool {
    entry.namespace.as_ref().is_none_or(|name| name.0 == account || accepting.contains(&name.0))
}

fn id(entry: &PublishSpec, account: &str) -> NamespacedName {
    let namespace = entry.namespace.as_ref().map_or(account, |name| &name.0);
    NamespacedName { namespace: namespace.to_owned(), name: entry.name.clone() }
}

fn has_token(entry: &PublishSpec, has_previous: bool) -> bool {
    entry
        .data
        .values()
        .any(|template| holds_token(&template.0) && (has_previous || !holds_previous(&template.0)))
}

/// A hash of all that decides what is in the Secret, without any token.
fn made_of(
    owner: &SecretOwner<'_>,
    entry: &PublishSpec,
    current: &TokenStatus,
    previous: Option<&TokenStatus>,
) -> String {
    #[derive(Serialize)]
    struct MadeOf<'a> {
        account: &'a str,
        service_account: &'a str,
        entry: &'a PublishSpec,
        current: &'a TokenStatus,
        previous: Option<&'a TokenStatus>,
    }
    let service_account = &owner.spec.service_account_name;
    let made_of = MadeOf { account: owner.account, service_account, entry, current, previous };
    // Plain strings and numbers always have a form as JSON.
    sha256_hex(serde_json::to_string(&made_of).unwrap_or_default().as_bytes())
}

/// What goes into the Secret; `None` where it holds nothing but a previous token, and that is lost.
pub fn content(
    owner: &SecretOwner<'_>,
    key_uid: &str,
    wanted: &DesiredSecret<'_>,
    (token, issued): (&Token, &TokenStatus),
    previous: Option<&Token>,
) -> Option<Content> {
    let DesiredSecret { entry, id: _, made_of } = wanted;
    let data = owner.published_data(&entry.data, (token, issued), previous)?;
    let mut annotations = annotations(entry.annotations.as_ref());
    annotations.extend(
        [
            (names::PUBLISHED, made_of.clone()),
            (names::PUBLISHED_BY, format!("{}/{}", owner.account, owner.name)),
            (names::PUBLISHED_BY_UID, key_uid.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    Some(Content {
        type_: entry.type_.clone().unwrap_or_else(|| OPAQUE.to_owned()),
        labels: labels(entry.labels.as_ref()),
        annotations,
        data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::access_key::DataTemplate;
    use crate::api::shared::{LabelValue, NamespaceName};
    use crate::domain::access_key::secret::Data;
    use crate::domain::value::token::RANDOM_BYTES;
    use proptest::prelude::*;

    fn entry(name: &str, data: &[(&str, &str)]) -> PublishSpec {
        PublishSpec {
            name: name.into(),
            namespace: None,
            type_: None,
            labels: None,
            annotations: None,
            data: data
                .iter()
                .map(|(key, text)| ((*key).to_owned(), DataTemplate((*text).to_owned())))
                .collect(),
        }
    }

    fn spec(entries: Vec<PublishSpec>) -> AccessKeySpec {
        AccessKeySpec {
            service_account_name: "ci".into(),
            publish: Some(entries),
            ..AccessKeySpec::default()
        }
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

    fn names(wanted: &[DesiredSecret<'_>]) -> Vec<String> {
        wanted.iter().map(|wanted| format!("{}/{}", wanted.id.namespace, wanted.id.name)).collect()
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
        let owner = SecretOwner { spec: &spec, name: "deploy", account: "team-a" };
        let (current, previous) = (token(1).1, token(2).1);
        for (previous, accepting, expected) in [
            (None, vec![], vec!["team-a/now"]),
            (Some(&previous), vec![], vec!["team-a/before", "team-a/now"]),
            (None, vec!["gateway".to_owned()], vec!["team-a/now", "gateway/far"]),
        ] {
            assert_eq!(names(&desired(&owner, &current, previous, &accepting)), expected);
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
        let owner = SecretOwner { spec: &spec, name: "deploy", account: "team-a" };
        let ((now, issued), (before, old)) = (token(1), token(2));
        let wanted = desired(&owner, &issued, Some(&old), &[]);
        let content_of =
            |previous| content(&owner, "key-uid", &wanted[0], (&now, &issued), previous).unwrap();
        let found = content_of(Some(&before));
        let text = |data: &Data| -> Vec<(String, String)> {
            data.iter().map(|(k, v)| (k.clone(), String::from_utf8(v.to_vec()).unwrap())).collect()
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
        let owner = SecretOwner { spec: &only_before, ..owner };
        let wanted = super::desired(&owner, &issued, Some(&old), &[]);
        assert!(
            content(&owner, "key-uid", &wanted[0], (&now, &issued), None).is_none(),
            "nothing is left of it"
        );
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
                let owner = SecretOwner { spec: &spec, name: "deploy", account: "team-a" };
                let previous = previous.map(|previous| token(previous).1);
                desired(&owner, &token(current).1, previous.as_ref(), &[])[0].made_of.clone()
            };
            prop_assert_eq!(a == b, made_of(a) == made_of(b));
        }
    }
}
