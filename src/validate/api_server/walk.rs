//! The way down a value and its schema, side by side.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

use crate::api::schema::{item, map_value};
use crate::validate::node::{Node, Value};
use crate::validate::path::Path;

/// Something in a value, with its schema.
pub(super) struct Child<'a> {
    pub(super) node: &'a Node,
    pub(super) schema: &'a JSONSchemaProps,
    pub(super) path: Path,
}

/// What is in a value, as far as the schema knows it.
pub(super) fn children<'a>(schema: &'a JSONSchemaProps, node: &'a Node, path: &Path) -> Vec<Child<'a>> {
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

fn step<'a>(
    schema: &'a JSONSchemaProps,
    path: &Path,
    entry: &'a crate::validate::node::Entry,
) -> Option<Child<'a>> {
    let field = schema.properties.as_ref().and_then(|fields| fields.get(&entry.key));
    let of_field = field.map(|schema| Child { node: &entry.node, schema, path: path.field(&entry.key) });
    let of_map = || Some(Child { node: &entry.node, schema: map_value(schema)?, path: path.key(&entry.key) });
    of_field.or_else(of_map)
}
