//! Annotations of GitHub Actions: workflow commands, one a line.

use super::text::sentence;
use crate::validate::finding::{Finding, Report};

/// All findings.
pub fn write(report: &Report) -> String {
    report.findings.iter().map(one).collect()
}

fn one(finding: &Finding) -> String {
    let Finding { file, document: _, region, rule, severity, object, field, message } = finding;
    let mut properties = vec![("file", file.clone()), ("line", region.line.to_string())];
    // Columns are taken only of what is in one line.
    if region.line == region.end_line {
        properties.push(("col", region.column.to_string()));
        properties.push(("endColumn", region.end_column.to_string()));
    } else {
        properties.push(("endLine", region.end_line.to_string()));
    }
    properties.push(("title", rule.as_str().to_owned()));
    let properties: Vec<String> =
        properties.into_iter().map(|(name, value)| format!("{name}={}", property(&value))).collect();
    let object = object.as_ref().map(|object| format!("{object}: ")).unwrap_or_default();
    let message = data(&format!("{object}{}", sentence(field, message)));
    format!("::{severity} {}::{message}\n", properties.join(","))
}

/// A message: a line break would end the command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property: so would its own marks.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
