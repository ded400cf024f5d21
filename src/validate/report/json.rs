//! For programs.

use serde_json::{Value, json};

use crate::validate::finding::{Finding, Report};

/// All in one JSON object.
pub fn write(report: &Report) -> String {
    let Report { findings, checked, others, unread } = report;
    let findings: Vec<Value> = findings.iter().map(one).collect();
    let all = json!({ "checked": checked, "others": others, "unread": unread, "findings": findings });
    format!("{all:#}\n")
}

fn one(finding: &Finding) -> Value {
    let Finding { file, document, region, rule, severity, object, field, message } = finding;
    json!({
        "file": file,
        "document": document,
        "line": region.line,
        "column": region.column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
        "rule": rule.as_str(),
        "severity": severity.as_str(),
        "object": object,
        "field": field,
        "message": message,
    })
}
