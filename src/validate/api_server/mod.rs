//! What the API server would say of one manifest: unknown fields as `kubectl --validate=strict` has them, the CRD's schema
//! with its defaults, and its CEL rules.

pub mod cel;
mod complete;
pub(super) mod metadata;
pub(super) mod near;
mod times;
mod unknown;
mod values;
mod walk;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

use super::finding::Rule;
use super::node::{Entry, Node, Value};
use super::path::Path;
use cel::Rules;

/// Something to say of a field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// By which rule.
    pub rule: Rule,
    /// The field.
    pub path: Path,
    /// What was given and what is allowed.
    pub message: String,
}

/// What was found about a manifest.
pub struct Checked {
    /// What is wrong with it.
    pub remarks: Vec<Remark>,
    /// It as the API server would keep it: with defaults, and without what it does not know.
    pub kept: Node,
}

/// Checks a manifest of a kind with that schema; `old`, where there is one, is what it would replace.
pub fn check(schema: &JSONSchemaProps, rules: &Rules, root: &Node, old: Option<&Node>) -> Checked {
    let mut remarks = Vec::new();
    let (own, common) = split(root);
    unknown::check(schema, &own, &Path::default(), &mut remarks);
    metadata::check(root, &mut remarks);
    let own = without_status(&complete::complete(&own, schema));
    values::check(schema, &own, &Path::default(), &mut remarks);
    let kept = joined(&own, common);
    if !remarks.iter().any(|remark| blocks(remark.rule)) {
        let old = old.map(|old| {
            let (own, common) = split(old);
            joined(&without_status(&complete::complete(&own, schema)), common)
        });
        rules.check(schema, (&kept, old.as_ref()), &Path::default(), &mut remarks);
    }
    Checked { remarks, kept }
}

/// With one of these the API server does not come to the CEL rules, whose values would be of no known type or size.
fn blocks(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::FieldValueNotSupported
            | Rule::FieldValueRequired
            | Rule::FieldValueTooLong
            | Rule::FieldValueTooMany
            | Rule::FieldValueTypeInvalid
    )
}

/// What the kind's own schema is about, and what all kinds have.
fn split(root: &Node) -> (Node, Vec<Entry>) {
    let is_common = |entry: &Entry| ["apiVersion", "kind", "metadata"].contains(&entry.key.as_str());
    let (common, own): (Vec<Entry>, Vec<Entry>) = root.entries().iter().cloned().partition(is_common);
    (Node { region: root.region, value: Value::Map(own) }, common)
}

fn joined(own: &Node, common: Vec<Entry>) -> Node {
    let entries = common.into_iter().chain(own.entries().iter().cloned()).collect();
    Node { region: own.region, value: Value::Map(entries) }
}

/// A status that is applied is passed over in silence, so it is not looked at.
fn without_status(own: &Node) -> Node {
    let entries = own.entries().iter().filter(|entry| entry.key != "status").cloned().collect();
    Node { region: own.region, value: Value::Map(entries) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::LazyLock;

    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
        CustomResourceDefinition, JSONSchemaProps,
    };
    use serde_json::Value as Json;

    use super::*;
    use crate::api::{crds, schema};
    use crate::validate::yaml;

    /// What is found in a manifest of a kind, as `rule field: message`; `old` is what it replaces.
    fn found(kind: &str, old: Option<&str>, spec: &str) -> Vec<String> {
        static READY: LazyLock<(Vec<CustomResourceDefinition>, Rules)> = LazyLock::new(|| {
            let crds = crds::all().unwrap();
            let rules = Rules::of(crds.iter().filter_map(schema::of)).unwrap();
            (crds, rules)
        });
        let (crds, rules) = &*READY;
        let crd = crds.iter().find(|crd| crd.spec.names.kind == kind).unwrap();
        let root = |spec: &str| {
            let text = format!(
                "apiVersion: iam.keyward.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n"
            );
            yaml::read(&text).0.remove(0).root
        };
        let old = old.map(root);
        let checked = check(schema::of(crd).unwrap(), rules, &root(spec), old.as_ref());
        checked
            .remarks
            .iter()
            .map(|remark| format!("{} {}: {}", remark.rule, remark.path, remark.message))
            .collect()
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
                    "FieldValueInvalid spec.revision: may only grow, since raising it issues a new token",
                    "FieldValueInvalid spec.serviceAccountName: may not be changed after creation: it is 'ci' and may not become \
                 'other'; create another AccessKey",
                ],
            ),
            (
                Some("{serviceAccountName: ci, expiresAt: 2027-12-31T00:00:00Z, state: Inactive}"),
                "{serviceAccountName: ci, expiresAt: 2027-12-31T01:00:00+01:00, state: Inactive, description: new}",
                vec![
                    "FieldValueInvalid spec.description: `description` of an inactive access key may not be changed; the only \
                 change allowed is `state` to 'Active', alone",
                ],
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
}
