//! The values and their schema: every value is explained, and nothing that is not a value is taken for one.

use serde_json::{Map, Value, json};

use super::{ALL, refused};

const VALUES: &str = include_str!("../../../charts/keyward/values.yaml");
const SCHEMA: &str = include_str!("../../../charts/keyward/values.schema.json");
/// What takes any field: values of a parent chart, and objects of any kind.
const OPEN: [&str; 3] = [
    "/properties/global",
    "/properties/extraObjects/items/anyOf/1",
    "/properties/extraObjects/items/anyOf/1/properties/metadata",
];
/// What the schema knows and the values need not show.
const NOT_SHOWN: [&str; 3] = [".global", ".resources.claims", ".verifier.resources.claims"];

fn values() -> Value {
    serde_yaml::from_str(VALUES).unwrap()
}

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// Every part of `schema` that describes objects, by its path.
fn describing_objects<'a>(schema: &'a Value, path: &str, found: &mut Vec<(String, &'a Map<String, Value>)>) {
    match schema {
        Value::Object(fields) => {
            // A property may be called "type" or "properties" as well, but never hold a text there.
            let types = fields.get("type").map(|types| types.to_string().contains("object"));
            if types == Some(true) || fields.get("additionalProperties").is_some() {
                found.push((path.to_owned(), fields));
            }
            for (name, part) in fields {
                describing_objects(part, &format!("{path}/{name}"), found);
            }
        }
        Value::Array(parts) => {
            for (number, part) in parts.iter().enumerate() {
                describing_objects(part, &format!("{path}/{number}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn the_schema_is_closed_at_every_level() {
    let schema = schema();
    let mut found = Vec::new();
    describing_objects(&schema, "", &mut found);
    assert!(found.len() > 50, "{}", found.len());
    for (path, fields) in found {
        let others = fields.get("additionalProperties");
        if OPEN.contains(&path.as_str()) {
            assert_eq!(others, Some(&json!(true)), "{path}");
        } else if fields.contains_key("properties") {
            assert_eq!(others, Some(&json!(false)), "{path} takes what it does not know");
        } else {
            let values = others.and_then(|others| others.get("type")).map(ToString::to_string);
            assert!(values.is_some_and(|types| !types.contains("object")), "{path} takes anything");
        }
    }
}

/// The part of the schema that a reference points to.
fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => resolved(root.pointer(&reference[1..]).expect(reference), root),
        None => schema,
    }
}

/// What only one of values and schema has.
fn differences(value: &Value, schema: &Value, root: &Value, path: &str, found: &mut Vec<String>) {
    let (Some(value), Some(known)) = (value.as_object(), resolved(schema, root)["properties"].as_object())
    else {
        return;
    };
    // An empty one stands for all that it may hold.
    if value.is_empty() {
        return;
    }
    found.extend(value.keys().filter(|name| !known.contains_key(*name)).map(|name| format!("{path}.{name}")));
    found.extend(known.keys().filter(|name| !value.contains_key(*name)).map(|name| format!("{path}.{name}")));
    for (name, value) in value {
        differences(value, &known[name], root, &format!("{path}.{name}"), found);
    }
}

#[test]
fn every_value_is_in_the_schema_and_the_other_way_round() {
    let (schema, mut found) = (schema(), Vec::new());
    differences(&values(), &schema, &schema, "", &mut found);
    found.sort();
    assert_eq!(found, NOT_SHOWN);
}

/// A line of values.yaml that sets something.
struct Line<'a> {
    indent: usize,
    name: &'a str,
    value: &'a str,
    comment: String,
}

fn lines() -> Vec<Line<'static>> {
    let (mut lines, mut comment) = (Vec::new(), String::new());
    for line in VALUES.lines() {
        let text = line.trim_start();
        if let Some(words) = text.strip_prefix("# ") {
            comment = format!("{comment} {words}");
        } else if let Some((name, value)) = text.split_once(':') {
            let indent = line.len() - text.len();
            lines.push(Line { indent, name, value: value.trim(), comment: std::mem::take(&mut comment) });
        } else {
            comment.clear();
        }
    }
    lines
}

#[test]
fn every_value_is_explained() {
    let lines = lines();
    for (number, line) in lines.iter().enumerate() {
        let is_group = lines.get(number + 1).is_some_and(|next| next.indent > line.indent);
        let mut indent = line.indent;
        let above = lines[..number].iter().rev().filter(|above| {
            let is_parent = above.indent < indent;
            indent = indent.min(above.indent);
            is_parent
        });
        let above: Vec<&Line> = above.collect();
        // What Kubernetes explains is said once, of the whole.
        let borrowed = above.iter().any(|above| above.comment.contains(" As in "));
        assert!(is_group || borrowed || !line.comment.is_empty(), "{} has no comment", line.name);
        // One that is written in one line: what stands in it is explained by it or by its group.
        let inner = line.value.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_default();
        for name in inner.split(", ").filter_map(|pair| Some(pair.split_once(':')?.0)) {
            let explained = [line, above[0]].iter().any(|line| line.comment.contains(&format!("`{name}`")));
            assert!(explained, "{} of {} is not explained", name, line.name);
        }
    }
}

/// `base` with what `over` says otherwise.
fn merged(base: &Value, over: &Value) -> Value {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            let mut all = base.clone();
            for (name, value) in over {
                let value = merged(all.get(name).unwrap_or(&Value::Null), value);
                all.insert(name.clone(), value);
            }
            Value::Object(all)
        }
        _ => over.clone(),
    }
}

/// The paths of all objects in `value`.
fn object_paths(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.push(path.to_owned());
            fields.iter().for_each(|(name, value)| {
                object_paths(value, &format!("{path}/{}", name.replace('/', "~1")), found);
            });
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(number, item)| {
                object_paths(item, &format!("{path}/{number}"), found);
            });
        }
        _ => {}
    }
}

#[test]
fn a_misspelt_value_is_refused_at_every_level() {
    let all: Value = serde_yaml::from_str(&std::fs::read_to_string(ALL).unwrap()).unwrap();
    let all = merged(&values(), &all);
    let validator = jsonschema::draft7::new(&schema()).unwrap();
    validator.validate(&all).unwrap_or_else(|error| panic!("{}: {error}", error.instance_path()));
    let mut paths = Vec::new();
    object_paths(&all, "", &mut paths);
    paths.retain(|path| !path.starts_with("/extraObjects"));
    assert!(paths.len() > 80, "{}", paths.len());
    for path in paths {
        let mut wrong = all.clone();
        // An object, since some of these are maps of texts, with any names.
        wrong.pointer_mut(&path).unwrap()["misspelt"] = json!({});
        assert!(!validator.is_valid(&wrong), "{path} takes a name that it does not know");
    }
    for path in [
        "misspelt",
        "crds.misspelt",
        "verifier.tls.misspelt",
        "metrics.prometheusRule.alerts.KeywardNoLeader.misspelt",
    ] {
        refused(&format!("{path}=true"), "additional properties 'misspelt' not allowed");
    }
}

#[test]
fn a_value_out_of_range_is_refused_with_its_name_and_what_is_allowed() {
    for (value, words) in [
        ("concurrency=0", "minimum: got 0, want 1"),
        ("image.pullPolicy=Sometimes", "'Always', 'IfNotPresent', 'Never'"),
        ("metrics.prometheusRule.alerts.KeywardAccessKeysExpiring.within=2d", "'30d', '7d', '1d'"),
        ("podDisruptionBudget.maxUnavailable=half", "podDisruptionBudget/maxUnavailable"),
        ("metrics.serviceMonitor.interval=often", "metrics/serviceMonitor/interval"),
        ("hostUsers=never", "/hostUsers': got string"),
    ] {
        refused(value, words);
    }
}
