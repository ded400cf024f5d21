//! The page of a kind: everything that its CRD says.

mod nodes;
mod value;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, CustomResourceDefinitionVersion,
    JSONSchemaProps, ValidationRule,
};

use crate::markdown::{code, codes, section, table};
use nodes::{Node, Place, nodes};
use value::{allowed, default};

/// The page of a kind.
pub(super) fn page(crd: &CustomResourceDefinition) -> String {
    let name = name(&crd.spec.names.kind);
    crd.spec.versions.iter().map(|version| of_version(crd, version, &name)).collect()
}

/// `AccessKey` becomes `access-key`.
pub(super) fn name(kind: &str) -> String {
    let mut name = String::new();
    for character in kind.chars() {
        if character.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(character.to_lowercase());
    }
    name
}

fn of_version(
    crd: &CustomResourceDefinition,
    version: &CustomResourceDefinitionVersion,
    name: &str,
) -> String {
    let kind = &crd.spec.names.kind;
    let Some(schema) = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref()) else {
        return format!("# {kind}\n");
    };
    let nodes = nodes(schema);
    [
        format!("# {kind}\n\n{}\n\n", schema.description.as_deref().unwrap_or_default()),
        format!("How to use it: [{}s](../{name}s.md). Generated from the CRD.\n\n", name.replace('-', " ")),
        names(crd, version),
        columns(version),
        fields("spec", &nodes),
        fields("status", &nodes),
        rules(&nodes),
    ]
    .concat()
}

fn names(crd: &CustomResourceDefinition, version: &CustomResourceDefinitionVersion) -> String {
    let names = &crd.spec.names;
    let short = names.short_names.iter().flatten().map(String::as_str);
    let selectable =
        version.selectable_fields.iter().flatten().map(|field| field.json_path.trim_start_matches('.'));
    let rows = [
        ["`apiVersion`".to_owned(), code(format!("{}/{}", crd.spec.group, version.name))],
        [
            "for kubectl".to_owned(),
            codes(short.chain([format!("{}.{}", names.plural, crd.spec.group).as_str()])),
        ],
        ["listed by".to_owned(), codes(names.categories.iter().flatten().map(String::as_str))],
        ["field selectors".to_owned(), codes(selectable)],
    ];
    table(["", ""], rows.into_iter().filter(|[_, value]| !value.is_empty()))
}

fn columns(version: &CustomResourceDefinitionVersion) -> String {
    let columns = version.additional_printer_columns.iter().flatten();
    let wide = |column: &CustomResourceColumnDefinition| column.priority.is_some_and(|priority| priority > 0);
    let row = |column: &CustomResourceColumnDefinition| {
        let shown = if wide(column) { "with `-o wide`" } else { "always" };
        [column.name.clone(), code(&column.json_path), shown.to_owned()]
    };
    section("Columns", "", ["column", "field", "shown"], columns.map(row))
}

fn fields(part: &str, nodes: &[Node<'_>]) -> String {
    let whole = nodes.iter().find(|node| node.path == part);
    let intro = whole.map(|node| format!("{}\n\n", about(node.schema))).unwrap_or_default();
    let prefix = format!("{part}.");
    let row = |node: &Node<'_>| {
        let Node { path, schema, place } = node;
        let Place::Field { required } = *place else { return None };
        path.starts_with(&prefix)
            .then(|| [code(path), allowed(schema), default(schema, required), about(schema)])
    };
    let head = ["field", "type", "default", "meaning"];
    section(&code(part), &intro, head, nodes.iter().filter_map(row))
}

fn about(schema: &JSONSchemaProps) -> String {
    schema.description.clone().unwrap_or_default()
}

/// Rules whose message does not depend on what is given.
fn rules(nodes: &[Node<'_>]) -> String {
    let of_node = |node: &Node<'_>| -> Vec<[String; 2]> {
        let rules = node.schema.x_kubernetes_validations.iter().flatten();
        let row = |rule: &ValidationRule| {
            let path = format!("{}{}", node.path, rule.field_path.as_deref().unwrap_or_default());
            Some([code(path), rule.message.clone()?])
        };
        rules.filter_map(row).collect()
    };
    let intro =
        "What the API server says when it refuses a value, where its words do not depend on the value.\n\n";
    section("Rules", intro, ["field", "message"], nodes.iter().flat_map(of_node))
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_file_is_named_as_its_kind() {
        assert_eq!(["AccessKey", "Account"].map(name), ["access-key", "account"]);
    }
}
