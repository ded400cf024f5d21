//! Fields that the schema does not have, as `kubectl --validate=strict` finds them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

use super::parts::map_value;
use super::walk::children;
use crate::node::Node;
use crate::path::Path;
use crate::suggest::{Likeness, did_you_mean};
use crate::violation::{Rule, Violation};

/// Finds them.
pub(crate) fn check(schema: &JSONSchemaProps, node: &Node, path: &Path, violations: &mut Vec<Violation>) {
    // A map in the place of a text is wrong as a whole: its type is what is reported.
    if schema.type_.as_deref() != Some("object") && !node.entries().is_empty() {
        return;
    }
    let fields = || schema.properties.iter().flatten().map(|(name, _)| name.as_str());
    let is_known = |name: &str| fields().any(|known| known == name) || map_value(schema).is_some();
    let given: Vec<&str> = node.entries().iter().map(|entry| entry.key.as_str()).collect();
    for entry in node.entries().iter().filter(|entry| !is_known(&entry.key)) {
        let meant = did_you_mean(&entry.key, fields().filter(|name| !given.contains(name)), Likeness::Slip);
        let hint = match meant.first() {
            Some(name) => format!("; did you mean `{name}`?"),
            None => allowed(fields().collect()),
        };
        let message = format!("there is no such field{hint}");
        violations.push(Violation { rule: Rule::UnknownField, path: path.field(&entry.key), message });
    }
    for child in children(schema, node, path) {
        check(child.schema, child.node, &child.path, violations);
    }
}

fn allowed(fields: Vec<&str>) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let names: Vec<String> = fields.into_iter().map(|name| format!("`{name}`")).collect();
    format!("; the fields are {}", names.join(", "))
}
