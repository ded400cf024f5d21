//! The way down a value and its schema, side by side.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

use super::parts::{item, map_value};
use crate::node::{Entry, Node, Value};
use crate::path::Path;

/// Something in a value, with its schema.
pub(crate) struct Child<'a> {
    pub(crate) node: &'a Node,
    pub(crate) schema: &'a JSONSchemaProps,
    pub(crate) path: Path,
}

/// What is in a value, as far as the schema knows it.
pub(crate) fn children<'a>(schema: &'a JSONSchemaProps, node: &'a Node, path: &Path) -> Vec<Child<'a>> {
    match &node.value {
        Value::List(items) => {
            let child = |(at, node)| item(schema).map(|schema| Child { node, schema, path: path.index(at) });
            items.iter().enumerate().filter_map(child).collect()
        }
        Value::Map(entries) => {
            let child = |entry| step(schema, path, entry);
            entries.iter().filter_map(child).collect()
        }
        _ => Vec::new(),
    }
}

fn step<'a>(schema: &'a JSONSchemaProps, path: &Path, entry: &'a Entry) -> Option<Child<'a>> {
    let field = schema.properties.as_ref().and_then(|fields| fields.get(&entry.key));
    let of_field = field.map(|schema| Child { node: &entry.node, schema, path: path.field(&entry.key) });
    let of_map = || Some(Child { node: &entry.node, schema: map_value(schema)?, path: path.key(&entry.key) });
    of_field.or_else(of_map)
}
