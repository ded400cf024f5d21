//! Values as rules see them.

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelNull, CelString};
use cel::common::value::Val;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

use super::map::OrderedMap;
use crate::node::{Entry, Node, Value};
use crate::schema::{field, item};
use crate::times;

/// The value of a node of that schema.
pub(super) fn value(node: &Node, schema: Option<&JSONSchemaProps>) -> Box<dyn Val> {
    match &node.value {
        Value::Null => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(*value)),
        Value::Int(number) => Box::new(CelInt::from(*number)),
        Value::Float(number) => Box::new(CelDouble::from(*number)),
        Value::Text(text) => Box::new(CelString::from(canonical(text, schema))),
        Value::List(items) => {
            let of_item = schema.and_then(item);
            let mut items: Vec<&Node> = items.iter().collect();
            // Two lists of which each item has a name are the same whatever the order.
            let names = schema.and_then(|schema| schema.x_kubernetes_list_map_keys.as_ref());
            if let Some(names) = names {
                items.sort_by_cached_key(|item| {
                    names
                        .iter()
                        .map(|name| item.get(name).map(|node| node.to_json().to_string()))
                        .collect::<Vec<_>>()
                });
            }
            let items: Vec<Box<dyn Val>> = items.into_iter().map(|node| value(node, of_item)).collect();
            Box::new(CelList::from(items))
        }
        Value::Map(entries) => {
            let entry = |entry: &Entry| {
                let of_entry = schema.and_then(|schema| field(schema, &entry.key));
                let value = is_readable(&entry.node, of_entry).then(|| value(&entry.node, of_entry));
                (CelString::from(entry.key.clone()), value)
            };
            Box::new(OrderedMap::new(entries.iter().map(entry).collect()))
        }
    }
}

fn is_time(schema: Option<&JSONSchemaProps>) -> bool {
    schema.is_some_and(|schema| schema.format.as_deref() == Some("date-time"))
}

/// A time in the one form in which it can be compared as text.
fn canonical(text: &str, schema: Option<&JSONSchemaProps>) -> String {
    let time = if is_time(schema) { times::in_utc(text) } else { None };
    time.unwrap_or_else(|| text.to_owned())
}

/// What has the form of a time need not be one; a rule that looks at it cannot be applied then.
fn is_readable(node: &Node, schema: Option<&JSONSchemaProps>) -> bool {
    !is_time(schema) || node.text().is_none_or(times::is_readable)
}
