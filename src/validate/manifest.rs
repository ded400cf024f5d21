//! Which of the documents are manifests of Keyward, and of which objects.

use super::api_server::Remark;
use super::api_server::near::nearest;
use super::finding::Rule;
use super::node::Node;
use super::path::Path;
use crate::api::{API_VERSION, GROUP};

/// A kind that the check knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Keyward's `Account`.
    Account,
    /// Keyward's `ServiceAccount`.
    ServiceAccount,
    /// Keyward's `AccessKey`.
    AccessKey,
    /// Keyward's `ResourceGrant`.
    ResourceGrant,
    /// The core `Secret`, whose name may be in the way of a key's.
    Secret,
}

impl Kind {
    /// Keyward's kinds.
    pub const KEYWARD: [Self; 4] =
        [Self::Account, Self::ServiceAccount, Self::AccessKey, Self::ResourceGrant];

    /// The kind's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "Account",
            Self::ServiceAccount => "ServiceAccount",
            Self::AccessKey => "AccessKey",
            Self::ResourceGrant => "ResourceGrant",
            Self::Secret => "Secret",
        }
    }
}

/// A place among the files that are checked.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The file, as it was named.
    pub file: &'a str,
    /// The document of it, counted from 1.
    pub document: usize,
    /// The object in it.
    pub root: &'a Node,
}

/// A manifest of an object that the check knows.
#[derive(Clone, Debug)]
pub struct Manifest<'a> {
    /// Where it stands.
    pub place: Place<'a>,
    /// Its kind.
    pub kind: Kind,
    /// Its namespace: the one that it names, or else the one that is applied to.
    pub namespace: String,
    /// Its name; empty where it has none, or is to be given one.
    pub name: String,
}

impl Manifest<'_> {
    /// As messages name it within its namespace.
    pub fn short_name(&self) -> String {
        format!("{} \"{}\"", self.kind.as_str(), self.name)
    }

    /// As findings name it.
    pub fn full_name(&self) -> String {
        let name = if self.name.is_empty() { "(without a name)" } else { &self.name };
        format!("{} {}/{name}", self.kind.as_str(), self.namespace)
    }
}

/// What a document turned out to be.
#[derive(Clone, Debug)]
pub enum Sorted<'a> {
    /// A manifest of an object that the check knows.
    Known(Manifest<'a>),
    /// One that means to be of Keyward and is not.
    Mistaken(Place<'a>, Remark),
    /// Something else.
    Other,
}

/// Sorts a document; a list is taken apart. Objects without a namespace are in `namespace`.
pub fn sort<'a>(place: Place<'a>, namespace: &str) -> Vec<Sorted<'a>> {
    let Place { root, .. } = place;
    let kind = root.text_at(&["kind"]);
    if let Some(items) = root.get("items").filter(|_| kind.is_some_and(|kind| kind.ends_with("List"))) {
        let of_item = |root| sort(Place { root, ..place }, namespace);
        return items.items().iter().flat_map(of_item).collect();
    }
    vec![sort_one(place, kind, namespace)]
}

fn sort_one<'a>(place: Place<'a>, kind: Option<&str>, namespace: &str) -> Sorted<'a> {
    let Place { root, .. } = place;
    let api_version = root.text_at(&["apiVersion"]).unwrap_or_default();
    let known = match (api_version, kind) {
        ("v1", Some("Secret")) => Some(Kind::Secret),
        (API_VERSION, Some(kind)) => Kind::KEYWARD.into_iter().find(|known| known.as_str() == kind),
        _ => None,
    };
    let Some(kind) = known else {
        return mistake(api_version, kind).map_or(Sorted::Other, |remark| Sorted::Mistaken(place, remark));
    };
    let text = |name: &str| root.text_at(&["metadata", name]).filter(|text| !text.is_empty());
    Sorted::Known(Manifest {
        place,
        kind,
        namespace: text("namespace").unwrap_or(namespace).to_owned(),
        name: text("name").unwrap_or_default().to_owned(),
    })
}

/// What is wrong with a kind or version that means to be Keyward's.
fn mistake(api_version: &str, kind: Option<&str>) -> Option<Remark> {
    let remark = |field: &str, message: String| {
        Some(Remark { rule: Rule::UnknownKind, path: Path::of(&[field]), message })
    };
    if api_version == API_VERSION {
        let kinds = Kind::KEYWARD.map(Kind::as_str);
        let given = match kind {
            None => "it is missing".to_owned(),
            Some(kind) => {
                let hint =
                    nearest(kind, kinds).map(|kind| format!("; did you mean {kind}?")).unwrap_or_default();
                format!("it is \"{kind}\"{hint}")
            }
        };
        return remark("kind", format!("must be one of {}; {given}", kinds.join(", ")));
    }
    let group = api_version.split('/').next().unwrap_or_default();
    let is_meant = group == GROUP || nearest(group, [GROUP]).is_some();
    let own = [Kind::AccessKey, Kind::ResourceGrant].map(Kind::as_str);
    if is_meant || (api_version.is_empty() && kind.is_some_and(|kind| own.contains(&kind))) {
        let given = if api_version.is_empty() {
            "it is missing".to_owned()
        } else {
            format!("it is \"{api_version}\"")
        };
        return remark("apiVersion", format!("must be {API_VERSION}; {given}"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::yaml;

    /// What each object of a text is taken for.
    fn sorted(text: &str) -> Vec<String> {
        let (documents, problems) = yaml::read(text);
        assert_eq!(problems, []);
        let places = documents.iter().map(|document| Place {
            file: "f",
            document: document.number,
            root: &document.root,
        });
        let shown = |sorted: Sorted<'_>| match sorted {
            Sorted::Known(manifest) => manifest.full_name(),
            Sorted::Mistaken(_, remark) => format!("{} {}", remark.path, remark.message),
            Sorted::Other => "other".to_owned(),
        };
        places.flat_map(|place| sort(place, "shop")).map(shown).collect()
    }

    #[test]
    fn only_keywards_kinds_and_secrets_are_manifests() {
        for (text, expected) in [
            (
                "{apiVersion: iam.keyward.dev/v1alpha1, kind: AccessKey, metadata: {name: a}}",
                vec!["AccessKey shop/a"],
            ),
            (
                "{apiVersion: iam.keyward.dev/v1alpha1, kind: ServiceAccount, metadata: {name: a, namespace: b}}",
                vec!["ServiceAccount b/a"],
            ),
            ("{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}}", vec!["other"]),
            ("{apiVersion: v1, kind: Secret, metadata: {name: a}}", vec!["Secret shop/a"]),
            ("{apiVersion: apps/v1, kind: Deployment}", vec!["other"]),
            ("replicas: 3", vec!["other"]),
            ("[a, b]", vec!["other"]),
            (
                "{apiVersion: iam.keyward.dev/v1alpha1, kind: AccessKey}",
                vec!["AccessKey shop/(without a name)"],
            ),
            (
                "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap}, {apiVersion: iam.keyward.dev/v1alpha1, kind: Account, metadata: {name: account}}]}",
                vec!["other", "Account shop/account"],
            ),
            (
                "{apiVersion: iam.keyward.dev/v1alpha1, kind: AccesKey}",
                vec![
                    "kind must be one of Account, ServiceAccount, AccessKey, ResourceGrant; it is \"AccesKey\"; did you mean AccessKey?",
                ],
            ),
            (
                "{apiVersion: iam.keyward.dev/v1alpha1}",
                vec!["kind must be one of Account, ServiceAccount, AccessKey, ResourceGrant; it is missing"],
            ),
            (
                "{apiVersion: iam.keyward.dev/v1, kind: AccessKey}",
                vec!["apiVersion must be iam.keyward.dev/v1alpha1; it is \"iam.keyward.dev/v1\""],
            ),
            (
                "{apiVersion: iam.keyword.dev/v1alpha1, kind: AccessKey}",
                vec!["apiVersion must be iam.keyward.dev/v1alpha1; it is \"iam.keyword.dev/v1alpha1\""],
            ),
            (
                "{kind: ResourceGrant, metadata: {name: a}}",
                vec!["apiVersion must be iam.keyward.dev/v1alpha1; it is missing"],
            ),
        ] {
            assert_eq!(sorted(text), expected, "{text}");
        }
    }
}
