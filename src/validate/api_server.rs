//! What the API server would say of one manifest: unknown fields as `kubectl --validate=strict` has them, the CRD's schema
//! with its defaults, and its CEL rules.

pub mod cel;
mod complete;
pub(super) mod metadata;
pub(super) mod near;
mod times;
mod unknown;
mod values;
mod walk;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

use super::finding::Rule;
use super::node::{Entry, Node, Value};
use super::path::Path;
use cel::Rules;

/// Something to say of a field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// By which rule.
    pub rule: Rule,
    /// The field.
    pub path: Path,
    /// What was given and what is allowed.
    pub message: String,
}

/// What was found about a manifest.
pub struct Checked {
    /// What is wrong with it.
    pub remarks: Vec<Remark>,
    /// It as the API server would keep it: with defaults, and without what it does not know.
    pub kept: Node,
}

/// Checks a manifest of a kind with that schema; `old`, where there is one, is what it would replace.
pub fn check(schema: &JSONSchemaProps, rules: &Rules, root: &Node, old: Option<&Node>) -> Checked {
    let mut remarks = Vec::new();
    let (own, common) = split(root);
    unknown::check(schema, &own, &Path::default(), &mut remarks);
    metadata::check(root, &mut remarks);
    let own = without_status(&complete::complete(&own, schema));
    values::check(schema, &own, &Path::default(), &mut remarks);
    let kept = joined(&own, common);
    if !remarks.iter().any(|remark| blocks(remark.rule)) {
        let old = old.map(|old| {
            let (own, common) = split(old);
            joined(&without_status(&complete::complete(&own, schema)), common)
        });
        rules.check(schema, (&kept, old.as_ref()), &Path::default(), &mut remarks);
    }
    Checked { remarks, kept }
}

/// With one of these the API server does not come to the CEL rules, whose values would be of no known type or size.
fn blocks(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::FieldValueNotSupported
            | Rule::FieldValueRequired
            | Rule::FieldValueTooLong
            | Rule::FieldValueTooMany
            | Rule::FieldValueTypeInvalid
    )
}

/// What the kind's own schema is about, and what all kinds have.
fn split(root: &Node) -> (Node, Vec<Entry>) {
    let is_common = |entry: &Entry| ["apiVersion", "kind", "metadata"].contains(&entry.key.as_str());
    let (common, own): (Vec<Entry>, Vec<Entry>) = root.entries().iter().cloned().partition(is_common);
    (Node { region: root.region, value: Value::Map(own) }, common)
}

fn joined(own: &Node, common: Vec<Entry>) -> Node {
    let entries = common.into_iter().chain(own.entries().iter().cloned()).collect();
    Node { region: own.region, value: Value::Map(entries) }
}

/// A status that is applied is passed over in silence, so it is not looked at.
fn without_status(own: &Node) -> Node {
    let entries = own.entries().iter().filter(|entry| entry.key != "status").cloned().collect();
    Node { region: own.region, value: Value::Map(entries) }
}

#[cfg(test)]
#[path = "api_server_tests.rs"]
mod tests;
