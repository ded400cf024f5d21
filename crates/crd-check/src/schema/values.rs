//! Types and bounds of values, as the API server checks them.

use std::collections::BTreeMap;
use std::fmt::Display;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use regex::Regex;

use super::walk::children;
use crate::node::{Node, Value};
use crate::path::Path;
use crate::suggest::{Likeness, did_you_mean};
use crate::times::is_date_time;
use crate::violation::{Rule, Violation};

/// Checks a value and all that is in it.
pub(crate) fn check(schema: &JSONSchemaProps, node: &Node, path: &Path, violations: &mut Vec<Violation>) {
    if let Some(message) = wrong_type(schema, node) {
        violations.push(Violation { rule: Rule::FieldValueTypeInvalid, path: path.clone(), message });
        return;
    }
    let broken = match &node.value {
        Value::Text(text) => text_bounds(schema, text),
        Value::Int(number) => number_bounds(schema, *number),
        Value::List(items) => size(items.len(), "items", schema.min_items, schema.max_items),
        Value::Map(entries) => size(entries.len(), "entries", schema.min_properties, schema.max_properties),
        Value::Null | Value::Bool(_) | Value::Float(_) => None,
    };
    let broken = broken.into_iter().chain(not_supported(schema, node));
    violations.extend(broken.map(|(rule, message)| Violation { rule, path: path.clone(), message }));
    violations.extend(missing(schema, node, path));
    violations.extend(duplicates(schema, node, path));
    for child in children(schema, node, path) {
        check(child.schema, child.node, &child.path, violations);
    }
}

/// A broken rule, and what to say about it.
type Broken = Option<(Rule, String)>;

fn wrong_type(schema: &JSONSchemaProps, node: &Node) -> Option<String> {
    let wanted = schema.type_.as_deref()?;
    let fits = match &node.value {
        Value::Null => schema.nullable == Some(true),
        Value::Bool(_) => wanted == "boolean",
        Value::Int(_) => wanted == "integer" || wanted == "number",
        Value::Float(_) => wanted == "number",
        Value::Text(_) => wanted == "string",
        Value::List(_) => wanted == "array",
        Value::Map(_) => wanted == "object",
    };
    let hint = if wanted == "string" { quoted(node) } else { "" };
    if fits { None } else { Some(format!("must be {}; it is {}{hint}", article(wanted), given(node))) }
}

/// A type as messages name it.
fn article(wanted: &str) -> &str {
    match wanted {
        "boolean" => "a boolean",
        "integer" => "an integer",
        "number" => "a number",
        "array" => "a list",
        "object" => "an object",
        _ => "a string",
    }
}

/// What was given in the place of something else. Of texts and numbers only what they are: they may be meant
/// to stay secret.
fn given(node: &Node) -> String {
    match &node.value {
        Value::Bool(true) => "a boolean, as which YAML reads true, yes, on and y".to_owned(),
        Value::Bool(false) => "a boolean, as which YAML reads false, no, off and n".to_owned(),
        _ => node.kind().to_owned(),
    }
}

/// What makes a text of it.
fn quoted(node: &Node) -> &'static str {
    match &node.value {
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => "; put it in quotes",
        Value::Null | Value::Text(_) | Value::List(_) | Value::Map(_) => "",
    }
}

/// The API server reports one mistake of a text that is both too long and not of the form.
fn text_bounds(schema: &JSONSchemaProps, text: &str) -> Broken {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if let Some(most) = schema.max_length.filter(|most| length > *most) {
        let message = format!("must be at most {most} characters long; it has {length}");
        return Some((Rule::FieldValueTooLong, message));
    }
    if let Some(least) = schema.min_length.filter(|least| length < *least) {
        let message = format!("must be at least {least} characters long; it has {length}");
        return Some((Rule::FieldValueInvalid, message));
    }
    if schema.format.as_deref() == Some("date-time") && !is_date_time(text) {
        let message =
            format!("must be a time as RFC 3339 writes it, such as 2027-05-31T00:00:00Z; it is {text:?}");
        return Some((Rule::FieldValueTypeInvalid, message));
    }
    let pattern = schema.pattern.as_ref()?;
    let fits = Regex::new(pattern).is_ok_and(|regex| regex.is_match(text));
    (!fits).then(|| (Rule::FieldValueInvalid, format!("must have the form {pattern}")))
}

#[allow(clippy::cast_precision_loss, reason = "bounds are far below what a float holds")]
fn number_bounds(schema: &JSONSchemaProps, number: i64) -> Broken {
    let invalid = |what: &str, bound: &dyn Display| {
        Some((Rule::FieldValueInvalid, format!("must be {what} {bound}; it is {number}")))
    };
    if let Some(least) = schema.minimum.filter(|least| (number as f64) < *least) {
        return invalid("at least", &least);
    }
    if let Some(most) = schema.maximum.filter(|most| number as f64 > *most) {
        return invalid("at most", &most);
    }
    let too_large = schema.format.as_deref() == Some("int32") && i32::try_from(number).is_err();
    if too_large { invalid("within the range of", &"32 bits") } else { None }
}

fn size(size: usize, what: &str, least: Option<i64>, most: Option<i64>) -> Broken {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    if let Some(most) = most.filter(|most| size > *most) {
        return Some((Rule::FieldValueTooMany, format!("must have at most {most} {what}; it has {size}")));
    }
    let least = least.filter(|least| size < *least)?;
    Some((Rule::FieldValueInvalid, format!("must have at least {least} {what}; it has {size}")))
}

fn not_supported(schema: &JSONSchemaProps, node: &Node) -> Broken {
    let allowed: Vec<&str> = schema.enum_.as_ref()?.iter().filter_map(|word| word.0.as_str()).collect();
    let text = node.text()?;
    if allowed.contains(&text) {
        return None;
    }
    let hint = did_you_mean(text, allowed.iter().copied(), Likeness::Slip)
        .first()
        .map(|word| format!("; did you mean {word:?}?"))
        .unwrap_or_default();
    let words: Vec<String> = allowed.iter().map(|word| format!("{word:?}")).collect();
    Some((Rule::FieldValueNotSupported, format!("must be one of {}; it is {text:?}{hint}", words.join(", "))))
}

fn missing<'a>(
    schema: &'a JSONSchemaProps,
    node: &'a Node,
    path: &'a Path,
) -> impl Iterator<Item = Violation> + 'a {
    let required = if matches!(node.value, Value::Map(_)) { schema.required.as_deref() } else { None };
    required.into_iter().flatten().filter(|name| node.get(name).is_none()).map(|name| {
        let about = schema.properties.as_ref().and_then(|fields| fields.get(name)?.description.as_deref());
        let about = about.map(|text| format!(": {}", first_sentence(text))).unwrap_or_default();
        Violation {
            rule: Rule::FieldValueRequired,
            path: path.field(name),
            message: format!("must be set{about}"),
        }
    })
}

/// Up to the first full stop that ends a sentence.
fn first_sentence(text: &str) -> &str {
    let end = text.find(". ").or_else(|| text.strip_suffix('.').map(str::len));
    text.get(..end.unwrap_or(text.len())).unwrap_or(text)
}

/// Items of a list that have the same name, where each must have its own. Of several the second is reported.
fn duplicates(schema: &JSONSchemaProps, node: &Node, path: &Path) -> Vec<Violation> {
    let are_named = node.items().iter().all(|item| matches!(item.value, Value::Map(_) | Value::Null));
    let Some(names) = schema.x_kubernetes_list_map_keys.as_ref().filter(|_| are_named) else {
        return Vec::new();
    };
    let mut seen: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    let mut violations = Vec::new();
    for (at, item) in node.items().iter().enumerate() {
        let key: Vec<String> =
            names.iter().filter_map(|name| Some(format!("{name} {}", item.get(name)?.to_json()))).collect();
        let message = format!("must not have the same {} as an item before it", key.join(", "));
        let times = seen.entry(key).or_default();
        *times += 1;
        if *times == 2 {
            violations.push(Violation { rule: Rule::FieldValueDuplicate, path: path.index(at), message });
        }
    }
    violations
}
