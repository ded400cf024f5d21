//! What is wrong with the `metadata` of a manifest.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

use super::names::{is_dns_name, is_label_value, is_namespace, is_qualified};
use super::schema::SCHEMA;
use crate::node::{Node, Value};
use crate::path::Path;
use crate::schema::defaults::complete;
use crate::schema::{unknown_fields, values};
use crate::violation::{Rule, Violation};

const DNS_NAME: &str = "must be a DNS name: at most 253 lower-case letters, digits, '-' and '.', with a letter or digit at both ends";
const NAMESPACE: &str = "must be the name of a namespace: at most 63 lower-case letters, digits and '-', with a letter or digit at both ends";
const LABEL_VALUE: &str = "must be a label value: at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends";
const QUALIFIED: &str = "must be an optional DNS name and '/', then at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends";
/// How many bytes all annotations of an object may have.
const ANNOTATIONS: usize = 256 * 1024;

/// What is wrong with a manifest's metadata.
pub(crate) fn check(root: &Node, violations: &mut Vec<Violation>) {
    let path = Path::of(&["metadata"]);
    let Some(metadata) = root.get("metadata").filter(|node| node.value != Value::Null) else {
        violations.push(nameless(&path));
        return;
    };
    let schema: &JSONSchemaProps = &SCHEMA;
    unknown_fields::check(schema, metadata, &path, violations);
    let before = violations.len();
    values::check(schema, &complete(metadata, schema), &path, violations);
    if violations.len() == before {
        forms(metadata, &path, violations);
    }
}

fn nameless(path: &Path) -> Violation {
    let message =
        "must be set: the object's name, unique among those of its kind in the namespace".to_owned();
    Violation { rule: Rule::FieldValueRequired, path: path.field("name"), message }
}

fn forms(metadata: &Node, path: &Path, violations: &mut Vec<Violation>) {
    let text = |name: &str| metadata.get(name).and_then(Node::text).filter(|text| !text.is_empty());
    let mut invalid = |path: Path, form: &str, given: &str| {
        let message = format!("{form}; it is {given:?}");
        violations.push(Violation { rule: Rule::FieldValueInvalid, path, message });
    };
    if let Some(name) = text("name").filter(|name| !is_dns_name(name)) {
        invalid(path.field("name"), DNS_NAME, name);
    }
    if let Some(name) = text("namespace").filter(|name| !is_namespace(name)) {
        invalid(path.field("namespace"), NAMESPACE, name);
    }
    let labels = path.field("labels");
    for entry in metadata.get("labels").map(Node::entries).unwrap_or_default() {
        if !is_qualified(&entry.key) {
            invalid(labels.key(&entry.key), &format!("the key {QUALIFIED}"), &entry.key);
        }
        // One that is null is an empty text here, unlike elsewhere.
        let value = entry.node.text().unwrap_or_default();
        if !is_label_value(value) {
            invalid(labels.key(&entry.key), LABEL_VALUE, value);
        }
    }
    let annotations = metadata.get("annotations").map(Node::entries).unwrap_or_default();
    for entry in annotations.iter().filter(|entry| !is_qualified(&entry.key.to_lowercase())) {
        let path = path.field("annotations").key(&entry.key);
        invalid(path, &format!("the key {QUALIFIED}"), &entry.key);
    }
    for (at, finalizer) in metadata.get("finalizers").map(Node::items).unwrap_or_default().iter().enumerate()
    {
        let name = finalizer.text().unwrap_or_default();
        if !is_qualified(name) {
            invalid(path.field("finalizers").index(at), QUALIFIED, name);
        }
    }
    let bytes: usize =
        annotations.iter().map(|entry| entry.key.len() + entry.node.text().map_or(0, str::len)).sum();
    if bytes > ANNOTATIONS {
        let message = format!("must have at most {ANNOTATIONS} bytes together; they have {bytes}");
        violations.push(Violation {
            rule: Rule::FieldValueTooLong,
            path: path.field("annotations"),
            message,
        });
    }
    if text("name").is_none() && text("generateName").is_none() {
        violations.push(nameless(path));
    }
}
