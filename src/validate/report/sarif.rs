//! SARIF 2.1.0, which code scanning takes.

use std::path::{Component, Path};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::text::sentence;
use crate::validate::finding::{Finding, Report};
use crate::validate::rule::{Rule, Severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// All but the characters that a URI leaves alone (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// All findings as one run.
pub fn write(report: &Report) -> String {
    let rules: Vec<Value> = Rule::ALL.iter().map(|rule| described(*rule)).collect();
    let results: Vec<Value> = report.findings.iter().map(result).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": { "name": "keyward", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn described(rule: Rule) -> Value {
    json!({
        "id": rule.as_str(),
        "shortDescription": { "text": rule.meaning() },
        "defaultConfiguration": { "level": level(rule.severity()) },
    })
}

fn result(finding: &Finding) -> Value {
    let Finding { file, document: _, region, rule, severity, object, field, message } = finding;
    let names = object.as_ref().map(|object| json!([{ "fullyQualifiedName": object, "kind": "object" }]));
    let physical = json!({
        "artifactLocation": { "uri": uri(file) },
        "region": {
            "startLine": region.line,
            "startColumn": region.column,
            "endLine": region.end_line,
            "endColumn": region.end_column,
        },
    });
    let location = match names {
        Some(names) => json!({ "physicalLocation": physical, "logicalLocations": names }),
        None => json!({ "physicalLocation": physical }),
    };
    json!({
        "ruleId": rule.as_str(),
        "ruleIndex": Rule::ALL.iter().position(|known| known == rule),
        "level": level(*severity),
        "message": { "text": sentence(field, message) },
        "locations": [location],
    })
}

/// A path as a URI: relative ones stay so, since code scanning finds the file by it.
fn uri(file: &str) -> String {
    let path = Path::new(file);
    let parts: Vec<String> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(part) => {
                Some(utf8_percent_encode(&part.to_string_lossy(), RESERVED).to_string())
            }
            Component::ParentDir => Some("..".to_owned()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
        })
        .collect();
    let joined = parts.join("/");
    if path.is_absolute() { format!("file:///{joined}") } else { joined }
}
