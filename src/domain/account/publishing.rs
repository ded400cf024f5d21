//! What Secrets that keys write may look like: a list of what is allowed, so that none can be taken for
//! something else. Tools act on Secrets by their type and labels; nobody knows all of them.

use std::collections::BTreeMap;

use crate::api::Account;
use crate::api::access_key::{PublishSpec, SecretSpec};
use crate::api::account::PublishingSpec;
use crate::api::names::{HELM_OWNER, HELM_RELEASES, RESERVED_TYPES, TRACKING};

/// Types of the gateways in docs/gateways.md, which are allowed everywhere.
const TYPES: [&str; 2] = ["Opaque", "nginx.org/apikey"];
/// Labels that are allowed everywhere: those of the gateways in docs/gateways.md, and words that mean
/// something to people alone. Each is the beginning of keys where it ends in `/`, and otherwise a whole key.
const LABELS: [&str; 12] = [
    "konghq.com/",
    "authorino.kuadrant.io/",
    "kuadrant.io/",
    "app.kubernetes.io/",
    "velero.io/exclude-from-backup",
    "api",
    "app",
    "component",
    "environment",
    "plan",
    "team",
    "tier",
];
/// Annotations that are allowed everywhere, as with labels.
const ANNOTATIONS: [&str; 7] = [
    "konghq.com/",
    "authorino.kuadrant.io/",
    "kuadrant.io/",
    "secret.kuadrant.io/",
    "description",
    "note",
    "plan",
];

/// What an account allows over what is allowed everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publishing {
    /// Types of Secrets.
    pub types: Vec<String>,
    /// Beginnings of labels' keys that end in `/`, or whole keys.
    pub label_prefixes: Vec<String>,
    /// The same of annotations.
    pub annotation_prefixes: Vec<String>,
}

impl Publishing {
    /// What `account` allows.
    pub fn of(account: &Account) -> Self {
        Self::from_spec(account.spec.publishing.as_ref())
    }

    /// What an account's spec allows.
    pub fn from_spec(spec: Option<&PublishingSpec>) -> Self {
        let Some(PublishingSpec { types, label_prefixes, annotation_prefixes }) = spec else {
            return Self::default();
        };
        let list = |given: &Option<Vec<String>>| given.clone().unwrap_or_default();
        Self {
            types: list(types),
            label_prefixes: list(label_prefixes),
            annotation_prefixes: list(annotation_prefixes),
        }
    }

    /// As status records it; `None` where it allows nothing more.
    pub fn recorded(&self) -> Option<PublishingSpec> {
        let Self { types, label_prefixes, annotation_prefixes } = self;
        let list = |given: &Vec<String>| (!given.is_empty()).then(|| given.clone());
        (*self != Self::default()).then(|| PublishingSpec {
            types: list(types),
            label_prefixes: list(label_prefixes),
            annotation_prefixes: list(annotation_prefixes),
        })
    }

    /// What is not allowed of a published Secret, and where an account would allow it.
    pub fn refused(&self, entry: &PublishSpec) -> Option<NotAllowed> {
        if entry.name.starts_with(HELM_RELEASES) {
            return Some(NotAllowed::Name);
        }
        if let Some(type_) = entry.type_.as_ref().filter(|type_| !self.allows_type(type_)) {
            return Some(NotAllowed::Type(type_.clone()));
        }
        let label = entry.labels.iter().flatten().find(|(key, value)| !self.allows_label(key, &value.0));
        let annotation = entry.annotations.iter().flatten().find(|(key, _)| !self.allows_annotation(key));
        label
            .map(|(key, _)| NotAllowed::Label(key.clone()))
            .or_else(|| annotation.map(|(key, _)| NotAllowed::Annotation(key.clone())))
    }

    /// Takes from a key's own Secret the labels and annotations that are not allowed.
    pub fn strip(&self, secret: &mut SecretSpec) -> Vec<NotAllowed> {
        let SecretSpec { name: _, labels, annotations, data: _ } = secret;
        let labels = strip(labels.as_mut(), |key, value| self.allows_label(key, &value.0));
        let annotations = strip(annotations.as_mut(), |key, _| self.allows_annotation(key));
        let labels = labels.into_iter().map(NotAllowed::Label);
        labels.chain(annotations.into_iter().map(NotAllowed::Annotation)).collect()
    }

    // What no account can allow the schema refuses; objects from before that rule are measured here as well.
    fn allows_type(&self, type_: &str) -> bool {
        let is_listed = TYPES.contains(&type_) || self.types.iter().any(|allowed| allowed == type_);
        is_listed && !begins_with_one_of(&RESERVED_TYPES, type_)
    }

    fn allows_label(&self, key: &str, value: &str) -> bool {
        let is_listed = covers(&LABELS, key) || covers(&self.label_prefixes, key);
        is_listed && !begins_with_one_of(&TRACKING, key) && (key, value) != HELM_OWNER
    }

    fn allows_annotation(&self, key: &str) -> bool {
        let is_listed = covers(&ANNOTATIONS, key) || covers(&self.annotation_prefixes, key);
        is_listed && !begins_with_one_of(&TRACKING, key)
    }
}

/// What is not allowed of a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAllowed {
    /// Its name is that of another tool's.
    Name,
    /// Its type.
    Type(String),
    /// A label, by its key.
    Label(String),
    /// An annotation, by its key.
    Annotation(String),
}

impl NotAllowed {
    /// Why, as the end of a sentence; `account` is the namespace whose account decides.
    pub fn why(&self, account: &str) -> String {
        let (what, key, field) = match self {
            Self::Name => {
                return format!("names that begin with {HELM_RELEASES} are those of Helm's own Secrets");
            }
            Self::Type(type_) => ("type", type_, "types"),
            Self::Label(key) => ("label", key, "labelPrefixes"),
            Self::Annotation(key) => ("annotation", key, "annotationPrefixes"),
        };
        format!(
            "the Account of namespace \"{account}\" does not allow the {what} \"{key}\" (spec.publishing.{field})"
        )
    }
}

fn covers(allowed: &[impl AsRef<str>], key: &str) -> bool {
    allowed
        .iter()
        .map(AsRef::as_ref)
        .any(|allowed| if allowed.ends_with('/') { key.starts_with(allowed) } else { key == allowed })
}

fn begins_with_one_of(prefixes: &[&str], text: &str) -> bool {
    prefixes.iter().any(|prefix| text.starts_with(prefix))
}

fn strip<V>(map: Option<&mut BTreeMap<String, V>>, allowed: impl Fn(&str, &V) -> bool) -> Vec<String> {
    let mut refused = Vec::new();
    if let Some(map) = map {
        map.retain(|key, value| {
            let is_allowed = allowed(key, value);
            if !is_allowed {
                refused.push(key.clone());
            }
            is_allowed
        });
    }
    refused
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn entry(more: &Value) -> PublishSpec {
        let mut entry = json!({"name": "copy", "data": {"key": "$(token)"}});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(entry).unwrap()
    }

    #[test]
    fn what_is_on_no_list_is_refused_with_the_field_that_would_allow_it() {
        let own = Publishing {
            types: vec!["example.com/key".into(), "helm.sh/release.v1".into()],
            label_prefixes: vec!["example.com/".into(), "owner".into(), "argocd.argoproj.io/".into()],
            annotation_prefixes: vec!["example.com/plan".into()],
        };
        for (given, by_default, by_own) in [
            (json!({}), None, None),
            (json!({"type": "Opaque"}), None, None),
            (json!({"type": "nginx.org/apikey"}), None, None),
            (json!({"type": "example.com/key"}), Some("types"), None),
            (json!({"type": "helm.sh/release.v1"}), Some("types"), Some("types")),
            (json!({"type": ""}), Some("types"), Some("types")),
            (json!({"name": "sh.helm.release.v1.shop.v2"}), Some("Helm"), Some("Helm")),
            (json!({"labels": {"konghq.com/credential": "key-auth", "team": "a"}}), None, None),
            (json!({"labels": {"owner": "x"}}), Some("labelPrefixes"), None),
            (json!({"labels": {"owner": "helm"}}), Some("labelPrefixes"), Some("labelPrefixes")),
            (
                json!({"labels": {"argocd.argoproj.io/secret-type": "cluster"}}),
                Some("labelPrefixes"),
                Some("labelPrefixes"),
            ),
            (json!({"labels": {"teams": "a"}}), Some("labelPrefixes"), Some("labelPrefixes")),
            (json!({"labels": {"team/a": "a"}}), Some("labelPrefixes"), Some("labelPrefixes")),
            (json!({"labels": {"example.com/a": "b"}}), Some("labelPrefixes"), None),
            (json!({"annotations": {"secret.kuadrant.io/plan-id": "gold"}}), None, None),
            (json!({"annotations": {"example.com/plan": "x"}}), Some("annotationPrefixes"), None),
            (
                json!({"annotations": {"example.com/other": "x"}}),
                Some("annotationPrefixes"),
                Some("annotationPrefixes"),
            ),
            (
                json!({"annotations": {"replicator.v1.mittwald.de/replicate-to": "*"}}),
                Some("annotationPrefixes"),
                Some("annotationPrefixes"),
            ),
        ] {
            let entry = entry(&given);
            for (publishing, expected) in [(Publishing::default(), by_default), (own.clone(), by_own)] {
                let why = publishing.refused(&entry).map(|refused| refused.why("team-a"));
                match (why, expected) {
                    (None, None) => {}
                    (Some(why), Some(word)) if why.contains(word) => {}
                    (why, _) => panic!("{given}: {why:?}, expected {expected:?}"),
                }
            }
        }
    }

    #[test]
    fn the_keys_own_secret_is_left_without_what_is_not_allowed() {
        let mut secret: SecretSpec = serde_json::from_value(json!({
            "labels": {"team": "a", "owner": "helm"}, "annotations": {"note": "x", "b": "y"},
        }))
        .unwrap();
        let refused = Publishing::default().strip(&mut secret);
        assert_eq!(refused, [NotAllowed::Label("owner".into()), NotAllowed::Annotation("b".into())]);
        assert!(secret.labels.unwrap().into_keys().eq(["team"]));
        assert!(secret.annotations.unwrap().into_keys().eq(["note"]));
    }

    #[test]
    fn what_an_account_allows_is_recorded_as_it_was_given() {
        let spec = PublishingSpec { types: Some(vec!["a/b".into()]), ..PublishingSpec::default() };
        assert_eq!(Publishing::from_spec(Some(&spec)).recorded(), Some(spec));
        assert_eq!(Publishing::from_spec(None).recorded(), None);
    }
}
