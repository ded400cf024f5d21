//! A manifest of an invented kind against its schema: what is found, where, and what is kept.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use crd_check::SchemaChecker;
use crd_check::yaml;
use serde_json::{Value, json};

fn checker() -> SchemaChecker {
    let schema = json!({
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": { "type": "string" },
            "kind": { "type": "string" },
            "metadata": { "type": "object" },
            "spec": {
                "type": "object",
                "required": ["size"],
                "properties": {
                    "size": { "type": "integer", "maximum": 9 },
                    "colour": { "type": "string", "enum": ["red", "green"], "default": "red" },
                    "owner": {
                        "type": "string",
                        "x-kubernetes-validations": [{ "rule": "self == oldSelf", "message": "may not be changed" }],
                    },
                    "parts": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": { "type": "object", "properties": { "name": { "type": "string" } } },
                    },
                },
                "x-kubernetes-validations": [{
                    "rule": "self.size > 1 || self.colour == 'green'",
                    "messageExpression": "'a small one must be green, not ' + self.colour",
                }],
            },
            "status": { "type": "object" },
        },
    });
    SchemaChecker::new(serde_json::from_value(schema).unwrap()).unwrap()
}

fn manifest(spec: &str) -> String {
    format!("apiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: a}}\nspec:\n{spec}")
}

/// As `rule line:column field: message`.
fn found(old: Option<&str>, spec: &str) -> Vec<String> {
    let root = |spec: &str| yaml::read(&manifest(spec)).0.remove(0).root;
    let (root, old) = (root(spec), old.map(root));
    let violations = checker().check(&root, old.as_ref()).violations;
    let shown = violations.iter().map(|violation| {
        let region = root.locate(&violation.path);
        let (line, column) = (region.line, region.column);
        format!("{} {line}:{column} {}: {}", violation.rule, violation.path, violation.message)
    });
    shown.collect()
}

#[test]
fn each_mistake_is_found_where_it_is() {
    for (spec, expected) in [
        ("  size: 2\n", vec![]),
        ("  size: 10\n", vec!["FieldValueInvalid 5:9 spec.size: must be at most 9; it is 10"]),
        (
            "  size: 2\n  color: red\n",
            vec!["UnknownField 6:10 spec.color: there is no such field; did you mean `colour`?"],
        ),
        (
            "  size: big\n  colour: blue\n",
            vec![
                "FieldValueNotSupported 6:11 spec.colour: must be one of \"red\", \"green\"; it is \"blue\"",
                "FieldValueTypeInvalid 5:9 spec.size: must be an integer; it is a string",
            ],
        ),
        ("  colour: red\n", vec!["FieldValueRequired 4:1 spec.size: must be set"]),
        (
            "  size: 2\n  parts:\n  - name: a\n  - name: a\n",
            vec![
                "FieldValueDuplicate 8:5 spec.parts[1]: must not have the same name \"a\" as an item before it",
            ],
        ),
    ] {
        let mut found = found(None, spec);
        found.sort();
        assert_eq!(found, expected, "{spec}");
    }
}

#[test]
fn rules_see_defaults_and_transition_rules_what_was_before() {
    let small = "FieldValueInvalid 4:1 spec: a small one must be green, not red";
    assert_eq!(found(None, "  size: 1\n"), [small]);
    assert_eq!(found(None, "  size: 1\n  colour: green\n"), [""; 0]);
    let owned = "  size: 2\n  owner: ann\n";
    assert_eq!(found(None, owned), [""; 0]);
    assert_eq!(found(Some(owned), owned), [""; 0]);
    assert_eq!(
        found(Some("  size: 2\n  owner: bob\n"), owned),
        ["FieldValueInvalid 6:10 spec.owner: may not be changed"]
    );
}

#[test]
fn what_is_kept_has_defaults_and_neither_status_nor_unknown_fields() {
    let text = format!("{}status: {{ready: true}}\n", manifest("  size: 2\n  extra: 1\n"));
    let kept = checker().check(&yaml::read(&text).0[0].root, None).kept.to_json();
    let expected: Value = json!({
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": { "name": "a" },
        "spec": { "size": 2, "colour": "red" },
    });
    assert_eq!(kept, expected);
}

#[test]
fn a_rule_that_is_not_cel_is_refused() {
    let schema = json!({ "type": "object", "x-kubernetes-validations": [{ "rule": "self ==" }] });
    let error = SchemaChecker::new(serde_json::from_value(schema).unwrap()).err().unwrap();
    assert!(error.to_string().starts_with("the rule `self ==` is not CEL: "), "{error}");
}
