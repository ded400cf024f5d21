//! Walks a schema: every field with its path, and the elements of lists and maps.

use crd_check::schema::{item, map_value};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

/// A place in a schema.
pub(super) struct Node<'a> {
    /// Such as `spec.publish[].labels.*`; empty for the whole.
    pub(super) path: String,
    pub(super) schema: &'a JSONSchemaProps,
    pub(super) place: Place,
}

/// What a node is to the one above it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Whole,
    Field {
        required: bool,
    },
    /// Of a list or a map.
    Element,
}

/// The schema and all beneath it, each one before what is in it.
pub(super) fn nodes(schema: &JSONSchemaProps) -> Vec<Node<'_>> {
    let mut nodes = Vec::new();
    visit(Node { path: String::new(), schema, place: Place::Whole }, &mut nodes);
    nodes
}

fn visit<'a>(node: Node<'a>, nodes: &mut Vec<Node<'a>>) {
    let Node { path, schema, .. } = &node;
    let (path, schema) = (path.clone(), *schema);
    nodes.push(node);
    for (name, field) in schema.properties.iter().flatten() {
        let required = schema.required.iter().flatten().any(|required| required == name);
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        visit(Node { path, schema: field, place: Place::Field { required } }, nodes);
    }
    if let Some(item) = item(schema) {
        visit(Node { path: format!("{path}[]"), schema: item, place: Place::Element }, nodes);
    }
    if let Some(value) = map_value(schema) {
        visit(Node { path: format!("{path}.*"), schema: value, place: Place::Element }, nodes);
    }
}
