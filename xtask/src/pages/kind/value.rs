//! What a field may hold, in words.

use std::fmt::Display;

use crd_check::schema::{item, map_value};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

use crate::markdown::{code, codes};

/// Type and bounds.
pub(super) fn allowed(schema: &JSONSchemaProps) -> String {
    if let Some(words) = &schema.enum_ {
        return codes(words.iter().filter_map(|word| word.0.as_str()));
    }
    if let Some(item) = item(schema) {
        let keys = schema.x_kubernetes_list_map_keys.iter().flatten().map(String::as_str);
        let keys = codes(keys);
        let unique = if keys.is_empty() { String::new() } else { format!("no two with the same {keys}") };
        let of = format!("list of {}", element(item));
        return joined([of, range(schema.min_items, schema.max_items, ""), unique]);
    }
    if let Some(value) = map_value(schema) {
        let of = format!("map of string to {}", element(value));
        return joined([of, range(schema.min_properties, schema.max_properties, "entries")]);
    }
    let characters = range(schema.min_length, schema.max_length, "characters");
    joined([name(schema).to_owned(), range(schema.minimum, schema.maximum, ""), characters])
}

/// The default, or that there must be a value.
pub(super) fn default(schema: &JSONSchemaProps, required: bool) -> String {
    match &schema.default {
        Some(value) => code(value.0.as_str().map_or_else(|| value.0.to_string(), str::to_owned)),
        None if required => "required".to_owned(),
        None => String::new(),
    }
}

/// What a list or a map holds; bounds in brackets, since those of the list follow.
fn element(schema: &JSONSchemaProps) -> String {
    let all = allowed(schema);
    match all.split_once(", ") {
        Some((name, bounds)) if schema.enum_.is_none() => format!("{name} ({bounds})"),
        _ => all,
    }
}

fn name(schema: &JSONSchemaProps) -> &str {
    match (schema.type_.as_deref(), schema.format.as_deref()) {
        (_, Some("date-time")) => "time",
        (Some(name), _) => name,
        (None, _) => "anything",
    }
}

fn range<T: Display + PartialEq>(min: Option<T>, max: Option<T>, unit: &str) -> String {
    let numbers = match (min, max) {
        (None, None) => return String::new(),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (Some(min), Some(max)) if min == max => format!("exactly {max}"),
        (Some(min), Some(max)) => format!("{min} to {max}"),
    };
    format!("{numbers} {unit}").trim_end().to_owned()
}

fn joined<const N: usize>(parts: [String; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn schema(value: Value) -> JSONSchemaProps {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn type_and_bounds_are_said_in_words() {
        let text = json!({"type": "string", "minLength": 1, "maxLength": 79});
        for (given, words) in [
            (text.clone(), "string, 1 to 79 characters"),
            (json!({"type": "string", "format": "date-time"}), "time"),
            (json!({"type": "string", "enum": ["Active", "Inactive"]}), "`Active`, `Inactive`"),
            (json!({"type": "integer", "minimum": 0, "maximum": 1000}), "integer, 0 to 1000"),
            (
                json!({"type": "array", "items": text, "maxItems": 8}),
                "list of string (1 to 79 characters), at most 8",
            ),
            (
                json!({
                    "type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                }),
                "list of object, no two with the same `name`",
            ),
            (
                json!({"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 16}),
                "map of string to string, at most 16 entries",
            ),
        ] {
            assert_eq!(allowed(&schema(given)), words);
        }
    }

    #[test]
    fn a_default_is_shown_as_it_would_be_written() {
        for (given, required, words) in [
            (json!({"default": "Active"}), false, "`Active`"),
            (json!({"default": 1}), false, "`1`"),
            (json!({"default": {}}), true, "`{}`"),
            (json!({}), true, "required"),
            (json!({}), false, ""),
        ] {
            assert_eq!(default(&schema(given), required), words);
        }
    }
}
