//! JSON Schemas of the kinds, draft-07: for editors, and for tools that check manifests by schema.

use crd_check::schema::{item, map_value, of};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps,
};
use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::{ACCOUNT_NAME, crds};

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// A schema as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its name. That of a kind is as kubeconform looks for it:
    /// `{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// One schema a kind, and one for files that hold several kinds.
///
/// # Errors
/// When the CRDs cannot be made, which would be a mistake in this program.
pub fn documents() -> Result<Vec<Document>, crds::Error> {
    let crds = crds::all()?;
    let all = Document { name: "keyward.json".into(), text: text(&any_of(&crds)) };
    let of_kind = |crd| Document { name: file_name(crd), text: text(&of_kind(crd)) };
    Ok(crds.iter().map(of_kind).chain([all]).collect())
}

fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

fn file_name(crd: &CustomResourceDefinition) -> String {
    format!("{}_{}.json", crd.spec.names.kind.to_lowercase(), version(crd))
}

fn version(crd: &CustomResourceDefinition) -> &str {
    crd.spec.versions.first().map_or("", |version| &version.name)
}

/// Chosen by `kind`, so that an editor tells what is wrong with the kind that is meant.
fn any_of(crds: &[CustomResourceDefinition]) -> Value {
    let kinds: Vec<&str> = crds.iter().map(|crd| crd.spec.names.kind.as_str()).collect();
    let choice = |crd: &CustomResourceDefinition| {
        json!({
            "if": { "properties": { "kind": { "const": crd.spec.names.kind } } },
            "then": { "$ref": file_name(crd) },
        })
    };
    json!({
        "$schema": DRAFT,
        "title": "Keyward",
        "description": "Any of Keyward's kinds.",
        "type": "object",
        "required": ["apiVersion", "kind"],
        "properties": { "kind": { "description": "One of Keyward's kinds.", "enum": kinds } },
        "allOf": crds.iter().map(choice).collect::<Vec<_>>(),
    })
}

fn of_kind(crd: &CustomResourceDefinition) -> Value {
    let kind = &crd.spec.names.kind;
    let api_version = format!("{}/{}", crd.spec.group, version(crd));
    let own = of(crd);
    let common = [
        ("apiVersion", json!({ "description": "Group and version of the kind.", "const": api_version })),
        ("kind", json!({ "description": "The kind.", "const": kind })),
        ("metadata", converted(&metadata_of(kind))),
    ];
    let fields = own.and_then(|schema| schema.properties.as_ref()).into_iter().flatten();
    let fields = fields.map(|(name, field)| (name.clone(), converted(field)));
    let common = common.into_iter().map(|(name, field)| (name.to_owned(), field));
    let required = own.and_then(|schema| schema.required.as_deref()).unwrap_or_default();
    let required = ["apiVersion", "kind", "metadata"].into_iter().chain(required.iter().map(String::as_str));
    json!({
        "$schema": DRAFT,
        "title": format!("{kind} ({api_version})"),
        "description": own.and_then(|schema| schema.description.as_deref()),
        "type": "object",
        "required": required.collect::<Vec<_>>(),
        "properties": common.chain(fields).collect::<Map<_, _>>(),
        "additionalProperties": false,
    })
}

/// Metadata; an account has no choice of its name.
fn metadata_of(kind: &str) -> JSONSchemaProps {
    let mut schema = crd_check::metadata::SCHEMA.clone();
    let name = schema.properties.as_mut().and_then(|fields| fields.get_mut("name"));
    if let Some(name) = name.filter(|_| kind == Kind::Account.as_str()) {
        name.enum_ = Some(vec![JSON(json!(ACCOUNT_NAME))]);
    }
    schema
}

fn converted(schema: &JSONSchemaProps) -> Value {
    let mut all = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        all.extend(value.map(|value| (name.to_owned(), value)));
    };
    set("description", schema.description.clone().map(Value::from));
    set("type", schema.type_.clone().map(Value::from));
    set("enum", schema.enum_.as_ref().map(|words| words.iter().map(|word| word.0.clone()).collect()));
    set("default", schema.default.as_ref().map(|default| default.0.clone()));
    set("format", schema.format.clone().filter(|format| format == "date-time").map(Value::from));
    set("minimum", schema.minimum.map(number));
    set("maximum", schema.maximum.map(number));
    set("minLength", schema.min_length.map(Value::from));
    set("maxLength", schema.max_length.map(Value::from));
    set("minItems", schema.min_items.map(Value::from));
    set("maxItems", schema.max_items.map(Value::from));
    set("minProperties", schema.min_properties.map(Value::from));
    set("maxProperties", schema.max_properties.map(Value::from));
    set("allOf", forms(schema));
    set("items", item(schema).map(converted));
    set("additionalProperties", map_value(schema).map(converted));
    if let Some(fields) = &schema.properties {
        let fields = fields.iter().map(|(name, field)| (name.clone(), converted(field)));
        set("properties", Some(Value::Object(fields.collect())));
        set("additionalProperties", Some(Value::Bool(false)));
    }
    set("required", schema.required.as_ref().filter(|names| !names.is_empty()).map(|names| json!(names)));
    Value::Object(all)
}

/// Without a fraction where there is none.
#[allow(clippy::cast_possible_truncation, reason = "bounds are small whole numbers")]
fn number(number: f64) -> Value {
    if number.fract() == 0.0 { json!(number as i64) } else { json!(number) }
}

/// CEL rules that a JSON Schema can say too: those about the form of a text.
fn forms(schema: &JSONSchemaProps) -> Option<Value> {
    let rules = schema.x_kubernetes_validations.iter().flatten();
    let forms: Vec<Value> = rules.filter_map(|rule| form(&rule.rule)).flatten().collect();
    (!forms.is_empty()).then_some(Value::Array(forms))
}

/// A rule made of nothing but patterns and lengths.
fn form(rule: &str) -> Option<Vec<Value>> {
    let part = |part: &str| {
        let pattern = part.strip_prefix("self.matches('").and_then(|rest| rest.strip_suffix("')"));
        let length = part.strip_prefix("self.size() <= ").and_then(|length| length.parse::<u32>().ok());
        let length = length.map(|length| json!({ "maxLength": length }));
        pattern.map(|pattern| json!({ "pattern": pattern })).or(length)
    };
    rule.split(" && ").map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_about_the_form_of_a_text_is_carried_over_and_others_are_not() {
        let forms = form("self.size() <= 63 && self.matches('^[a-z]$')").unwrap();
        assert_eq!(forms, [json!({"maxLength": 63}), json!({"pattern": "^[a-z]$"})]);
        assert_eq!(form("self.matches('a') && has(self.b)"), None);
        assert_eq!(form("self == oldSelf"), None);
    }
}
