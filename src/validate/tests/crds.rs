//! Keyward's CRDs: what is found in a manifest of each kind, and that they use nothing that is not checked.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use crd_check::{SchemaChecker, schema, yaml};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps,
};
use serde_json::Value as Json;

use crate::api::crds;

/// What is found in a manifest of a kind, as `rule field: message`; `old` is what it replaces.
fn found(kind: &str, old: Option<&str>, spec: &str) -> Vec<String> {
    static CHECKERS: LazyLock<HashMap<String, SchemaChecker>> = LazyLock::new(|| {
        let checker = |crd: CustomResourceDefinition| {
            let schema = schema::of(&crd).unwrap().clone();
            (crd.spec.names.kind, SchemaChecker::new(schema).unwrap())
        };
        crds::all().unwrap().into_iter().map(checker).collect()
    });
    let root = |spec: &str| {
        let text = format!(
            "apiVersion: iam.keyward.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n"
        );
        yaml::read(&text).0.remove(0).root
    };
    let old = old.map(root);
    let violations = CHECKERS[kind].check(&root(spec), old.as_ref()).violations;
    let shown = violations
        .iter()
        .map(|violation| format!("{} {}: {}", violation.rule, violation.path, violation.message));
    shown.collect()
}

#[test]
fn a_message_says_what_was_given_and_what_is_allowed() {
    for (kind, spec, expected) in [
        (
            "ServiceAccount",
            "{icon: Bott, state: Of}",
            vec![
                "FieldValueNotSupported spec.icon: must be one of \"Bot\", \"Build\", \"Calendar\", \"Chart\", \"Cloud\", \
             \"Database\", \"Gear\", \"Key\", \"Mail\", \"Rocket\", \"Shield\", \"Terminal\"; it is \"Bott\"; did you \
             mean \"Bot\"?",
                "FieldValueNotSupported spec.state: must be one of \"Active\", \"Inactive\"; it is \"Of\"",
            ],
        ),
        (
            "ServiceAccount",
            "{displayName: yes, description: 7}",
            vec![
                "FieldValueTypeInvalid spec.description: must be a string; it is an integer; put it in quotes",
                "FieldValueTypeInvalid spec.displayName: must be a string; it is a boolean, as which YAML reads true, yes, on \
             and y; put it in quotes",
            ],
        ),
        (
            "ServiceAccount",
            "{displayNmae: CI, admins: [{kind: User, name: a, group: b}]}",
            vec![
                "UnknownField spec.displayNmae: there is no such field; did you mean `displayName`?",
                "UnknownField spec.admins[0].group: there is no such field; the fields are `kind`, `name`, `namespace`",
            ],
        ),
        (
            "AccessKey",
            "{validFor: P6M}",
            vec![
                "FieldValueRequired spec.serviceAccountName: must be set: Name of the service account (`kwsa`) in the same \
             namespace that the key belongs to",
            ],
        ),
        (
            "AccessKey",
            "{serviceAccountName: ci, validFor: six, revision: 0, displayName: ''}",
            vec![
                "FieldValueInvalid spec.displayName: must be at least 1 characters long; it has 0",
                "FieldValueInvalid spec.revision: must be at least 1; it is 0",
                "FieldValueInvalid spec.validFor: must be an ISO 8601 duration such as P6M, P1Y, P30D or PT1H, not 'six'",
            ],
        ),
        (
            "AccessKey",
            "{serviceAccountName: ci}",
            vec![
                "FieldValueInvalid spec: exactly one of `validFor` (such as P6M) and `expiresAt` (such as \
             2027-05-31T00:00:00Z) must be set; neither is",
            ],
        ),
        (
            "AccessKey",
            "{serviceAccountName: ci, expiresAt: tomorrow}",
            vec![
                "FieldValueTypeInvalid spec.expiresAt: must be a time as RFC 3339 writes it, such as 2027-05-31T00:00:00Z; it \
             is \"tomorrow\"",
            ],
        ),
        (
            "AccessKey",
            "{serviceAccountName: ci, validFor: P6M, secret: {labels: {b c: x, a b: x}}}",
            vec![
                "FieldValueInvalid spec.secret.labels: every key must be an optional DNS prefix and '/', then at most 63 \
             letters, digits, '-', '_' and '.'; one is 'a b'",
            ],
        ),
        (
            "Account",
            "{limits: {serviceAccounts: 1001}}",
            vec![
                "FieldValueInvalid spec.limits.serviceAccounts: must be at most 1000; it is 1001",
                "FieldValueInvalid : metadata.name must be 'account', the one Account of a namespace; it is 'a'",
            ],
        ),
    ] {
        let mut found = found(kind, None, spec);
        let mut expected = expected;
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected, "{spec}");
    }
}

#[test]
fn what_may_not_be_changed_is_found_only_where_it_is_known_what_was() {
    let key = "{serviceAccountName: ci, validFor: P6M, revision: 3, secret: {name: one}}";
    for (old, new, expected) in [
        (Some(key), key, vec![]),
        (None, "{serviceAccountName: other, validFor: P6M}", vec![]),
        (
            Some(key),
            "{serviceAccountName: other, validFor: P6M, revision: 2, secret: {name: two}}",
            vec![
                "FieldValueInvalid spec: `secret.name` may not be changed after creation; create another AccessKey",
                "FieldValueInvalid spec.serviceAccountName: may not be changed after creation: it is 'ci' and may not become \
             'other'; create another AccessKey",
            ],
        ),
        (
            Some("{serviceAccountName: ci, expiresAt: 2027-12-31T00:00:00Z, state: Inactive}"),
            "{serviceAccountName: ci, expiresAt: 2028-12-31T01:00:00+01:00, state: Inactive, description: new}",
            vec![],
        ),
        (
            Some(
                "{serviceAccountName: ci, validFor: P6M, state: Inactive, publish: [{name: c, data: {k: $(token)}}, {name: b, data: {k: $(token)}}]}",
            ),
            "{serviceAccountName: ci, validFor: P6M, state: Inactive, publish: [{name: b, data: {k: $(token)}}, {name: c, data: {k: $(token)}}]}",
            vec![],
        ),
    ] {
        let (mut found, mut expected) = (found("AccessKey", old, new), expected);
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected, "{new}");
    }
}

fn walk(schema: &JSONSchemaProps, visit: &mut impl FnMut(&JSONSchemaProps)) {
    visit(schema);
    let fields = schema.properties.iter().flatten().map(|(_, field)| field);
    let others = schema::item(schema).into_iter().chain(schema::map_value(schema));
    fields.chain(others).for_each(|schema| walk(schema, visit));
}

#[test]
fn the_crds_say_nothing_that_is_not_checked() {
    let known = [
        "additionalProperties",
        "default",
        "description",
        "enum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "properties",
        "required",
        "title",
        "type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-validations",
    ];
    let mut words = BTreeSet::new();
    for crd in crds::all().unwrap() {
        walk(schema::of(&crd).unwrap(), &mut |schema| {
            let json = serde_json::to_value(schema).unwrap();
            words.extend(json.as_object().unwrap().keys().cloned());
            let types = ["object", "array", "string", "integer", "boolean"];
            assert!(types.contains(&schema.type_.as_deref().unwrap()), "{json}");
            let formats = [None, Some("date-time"), Some("int32"), Some("int64")];
            assert!(formats.contains(&schema.format.as_deref()), "{json}");
            let is_map = schema.x_kubernetes_list_type.as_deref().is_none_or(|list| list == "map");
            assert!(is_map, "lists that are sets are not looked at: {json}");
            let texts = schema.enum_.iter().flatten().all(|word| matches!(word.0, Json::String(_)));
            assert!(texts, "only texts are compared: {json}");
            for rule in schema.x_kubernetes_validations.iter().flatten() {
                assert_eq!(
                    rule.optional_old_self, None,
                    "such a rule holds of new objects too: {}",
                    rule.rule
                );
                assert!(rule.reason.is_none(), "no rule gives a reason of its own: {}", rule.rule);
            }
        });
    }
    let unknown: Vec<_> = words.iter().filter(|word| !known.contains(&word.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
