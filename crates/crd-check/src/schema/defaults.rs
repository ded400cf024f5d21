//! A manifest as the API server has it before it looks at the values: what is null is as good as left out,
//! what has a default and is left out has that, and what the schema does not know is gone.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

use super::parts::{field, item};
use crate::node::{Entry, Node, Value};

/// The value with its defaults.
pub(crate) fn complete(node: &Node, schema: &JSONSchemaProps) -> Node {
    let value = match &node.value {
        Value::Map(entries) => {
            let mut entries: Vec<Entry> =
                entries.iter().filter_map(|entry| completed(entry, schema)).collect();
            entries.extend(defaults(node, &entries, schema));
            Value::Map(entries)
        }
        Value::List(items) => {
            let completed =
                |node| item(schema).map_or_else(|| Node::clone(node), |schema| complete(node, schema));
            Value::List(items.iter().map(completed).collect())
        }
        other => other.clone(),
    };
    Node { region: node.region, value }
}

fn completed(entry: &Entry, schema: &JSONSchemaProps) -> Option<Entry> {
    let schema = field(schema, &entry.key)?;
    if entry.node.value == Value::Null {
        let default = schema.default.as_ref()?;
        let node = Node::from_json(&default.0, entry.node.region);
        return Some(Entry { node: complete(&node, schema), ..entry.clone() });
    }
    Some(Entry { key: entry.key.clone(), region: entry.region, node: complete(&entry.node, schema) })
}

/// Fields that are left out and have a default.
fn defaults(node: &Node, given: &[Entry], schema: &JSONSchemaProps) -> Vec<Entry> {
    let missing =
        schema.properties.iter().flatten().filter(|(name, _)| !given.iter().any(|entry| entry.key == **name));
    let default = |(name, schema): (&String, &JSONSchemaProps)| {
        let default = Node::from_json(&schema.default.as_ref()?.0, node.region);
        Some(Entry { key: name.clone(), region: node.region, node: complete(&default, schema) })
    };
    missing.filter_map(default).collect()
}
