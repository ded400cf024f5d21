//! Which of the documents are manifests of Keyward, and of which objects.

use crd_check::node::{Node, Region};
use crd_check::path::Path;
use crd_check::suggest::{Likeness, did_you_mean};

use super::finding::Finding;
use super::rule::Rule;
use crate::api::{API_VERSION, GROUP, Kind};

/// The kinds whose manifests are checked, in the order in which messages list them.
pub const CHECKED: [Kind; 4] = [Kind::Account, Kind::ServiceAccount, Kind::AccessKey, Kind::ResourceGrant];

/// An object among the files that are checked.
#[derive(Clone, Copy, Debug)]
pub struct Location<'a> {
    /// The file, as it was named.
    pub file: &'a str,
    /// The document of it, counted from 1.
    pub document: usize,
    /// The object in it.
    pub root: &'a Node,
}

impl Location<'_> {
    /// A finding about a part of the document.
    pub fn finding(&self, rule: Rule, region: Region, message: String) -> Finding {
        Finding::new(self.file, self.document, region, rule, message)
    }
}

/// A manifest of an object that the check knows.
#[derive(Clone, Debug)]
pub struct Manifest<'a> {
    /// Where it is.
    pub location: Location<'a>,
    /// Its kind: one of [`CHECKED`], or a `Secret`, whose name may be in the way of a key's.
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

    /// A finding about a field; an empty path means the object as a whole, which is shown at its name.
    pub fn finding(&self, rule: Rule, path: &Path, message: String) -> Finding {
        let root = self.location.root;
        let region = match rule {
            Rule::UnknownField => root.locate_key(path),
            _ if path.steps().is_empty() => root.locate(&Path::of(&["metadata", "name"])),
            _ => root.locate(path),
        };
        Finding {
            object: Some(self.full_name()),
            field: path.to_string(),
            ..self.location.finding(rule, region, message)
        }
    }
}

/// What a document turned out to be.
#[derive(Clone, Debug)]
pub enum Classified<'a> {
    /// A manifest of an object that the check knows.
    Known(Manifest<'a>),
    /// One that means to be of Keyward and is not: what is wrong with it.
    Mistaken(Box<Finding>),
    /// Something else.
    Other,
}

/// Tells what a document is; a list is taken apart. Objects without a namespace are in `namespace`.
pub fn classify<'a>(location: Location<'a>, namespace: &str) -> Vec<Classified<'a>> {
    let Location { root, .. } = location;
    let kind = root.text_at(&["kind"]);
    if let Some(items) = root.get("items").filter(|_| kind.is_some_and(|kind| kind.ends_with("List"))) {
        let of_item = |root| classify(Location { root, ..location }, namespace);
        return items.items().iter().flat_map(of_item).collect();
    }
    vec![classify_one(location, kind, namespace)]
}

fn classify_one<'a>(location: Location<'a>, kind: Option<&str>, namespace: &str) -> Classified<'a> {
    let Location { root, .. } = location;
    let api_version = root.text_at(&["apiVersion"]).unwrap_or_default();
    let known = match (api_version, kind) {
        ("v1", Some(kind)) if kind == Kind::Secret.as_str() => Some(Kind::Secret),
        (API_VERSION, Some(kind)) => CHECKED.into_iter().find(|known| known.as_str() == kind),
        _ => None,
    };
    let Some(kind) = known else {
        let mistake = mistake(api_version, kind);
        return mistake.map_or(Classified::Other, |(field, message)| {
            let region = root.locate(&Path::of(&[field]));
            let finding = location.finding(Rule::UnknownKind, region, message);
            Classified::Mistaken(Box::new(Finding { field: field.to_owned(), ..finding }))
        });
    };
    let text = |name: &str| root.text_at(&["metadata", name]).filter(|text| !text.is_empty());
    Classified::Known(Manifest {
        location,
        kind,
        namespace: text("namespace").unwrap_or(namespace).to_owned(),
        name: text("name").unwrap_or_default().to_owned(),
    })
}

/// What is wrong with a kind or version that means to be Keyward's: the field, and a message.
fn mistake(api_version: &str, kind: Option<&str>) -> Option<(&'static str, String)> {
    if api_version == API_VERSION {
        let kinds = CHECKED.map(Kind::as_str);
        let given = match kind {
            None => "it is missing".to_owned(),
            Some(kind) => {
                let meant = did_you_mean(kind, kinds, Likeness::Slip);
                let hint = meant.first().map(|kind| format!("; did you mean {kind}?")).unwrap_or_default();
                format!("it is \"{kind}\"{hint}")
            }
        };
        return Some(("kind", format!("must be one of {}; {given}", kinds.join(", "))));
    }
    let group = api_version.split('/').next().unwrap_or_default();
    let is_meant = group == GROUP || !did_you_mean(group, [GROUP], Likeness::Slip).is_empty();
    let own = [Kind::AccessKey, Kind::ResourceGrant].map(Kind::as_str);
    if is_meant || (api_version.is_empty() && kind.is_some_and(|kind| own.contains(&kind))) {
        let given = if api_version.is_empty() {
            "it is missing".to_owned()
        } else {
            format!("it is \"{api_version}\"")
        };
        return Some(("apiVersion", format!("must be {API_VERSION}; {given}")));
    }
    None
}

#[cfg(test)]
mod tests {
    use crd_check::yaml;

    use super::*;

    /// What each object of a text is taken for.
    fn classified(text: &str) -> Vec<String> {
        let (documents, problems) = yaml::read(text);
        assert_eq!(problems, []);
        let locations = documents.iter().map(|document| Location {
            file: "f",
            document: document.number,
            root: &document.root,
        });
        let shown = |classified: Classified<'_>| match classified {
            Classified::Known(manifest) => manifest.full_name(),
            Classified::Mistaken(finding) => format!("{} {}", finding.field, finding.message),
            Classified::Other => "other".to_owned(),
        };
        locations.flat_map(|location| classify(location, "shop")).map(shown).collect()
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
            assert_eq!(classified(text), expected, "{text}");
        }
    }
}
