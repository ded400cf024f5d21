//! `metadata`, which all kinds of Kubernetes have in common.

use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use regex::Regex;

use super::{Remark, complete, unknown, values};
use crate::api::metadata::SCHEMA;
use crate::validate::finding::Rule;
use crate::validate::node::{Node, Value};
use crate::validate::path::Path;

const DNS_NAME: &str = "must be a DNS name: at most 253 lower-case letters, digits, '-' and '.', with a letter or digit at both ends";
const NAMESPACE: &str = "must be the name of a namespace: at most 63 lower-case letters, digits and '-', with a letter or digit at both ends";
const LABEL_VALUE: &str = "must be a label value: at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends";
const QUALIFIED: &str = "must be an optional DNS name and '/', then at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends";
/// How many bytes all annotations of an object may have.
const ANNOTATIONS: usize = 256 * 1024;

/// What is wrong with a manifest's metadata.
pub(super) fn check(root: &Node, remarks: &mut Vec<Remark>) {
    let path = Path::of(&["metadata"]);
    let Some(metadata) = root.get("metadata").filter(|node| node.value != Value::Null) else {
        remarks.push(nameless(&path));
        return;
    };
    let schema: &JSONSchemaProps = &SCHEMA;
    unknown::check(schema, metadata, &path, remarks);
    let before = remarks.len();
    values::check(schema, &complete::complete(metadata, schema), &path, remarks);
    if remarks.len() == before {
        forms(metadata, &path, remarks);
    }
}

fn nameless(path: &Path) -> Remark {
    let message =
        "must be set: the object's name, unique among those of its kind in the namespace".to_owned();
    Remark { rule: Rule::FieldValueRequired, path: path.field("name"), message }
}

fn forms(metadata: &Node, path: &Path, remarks: &mut Vec<Remark>) {
    let text = |name: &str| metadata.get(name).and_then(Node::text).filter(|text| !text.is_empty());
    let mut invalid = |path: Path, form: &str, given: &str| {
        let message = format!("{form}; it is {given:?}");
        remarks.push(Remark { rule: Rule::FieldValueInvalid, path, message });
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
        remarks.push(Remark { rule: Rule::FieldValueTooLong, path: path.field("annotations"), message });
    }
    if text("name").is_none() && text("generateName").is_none() {
        remarks.push(nameless(path));
    }
}

fn form(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

fn fits(form: &LazyLock<Option<Regex>>, text: &str) -> bool {
    form.as_ref().is_some_and(|form| form.is_match(text))
}

/// Whether Kubernetes takes it for the name of an object.
pub(crate) fn is_dns_name(text: &str) -> bool {
    static FORM: LazyLock<Option<Regex>> =
        LazyLock::new(|| form("^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"));
    text.len() <= 253 && fits(&FORM, text)
}

fn is_namespace(text: &str) -> bool {
    text.len() <= 63 && !text.contains('.') && is_dns_name(text)
}

fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_short_name(text)
}

fn is_short_name(text: &str) -> bool {
    static FORM: LazyLock<Option<Regex>> =
        LazyLock::new(|| form("^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"));
    text.len() <= 63 && fits(&FORM, text)
}

fn is_qualified(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_name(prefix) && is_short_name(name),
        None => is_short_name(text),
    }
}
