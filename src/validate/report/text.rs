//! For people, in the way that compilers write.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::validate::finding::{Finding, Report};
use crate::validate::rule::Severity;

const BOLD: Style = Style::new().bold();
const LOCATION: Style = AnsiColor::Blue.on_default();

/// All findings, with the colours of a terminal.
pub fn write(report: &Report) -> String {
    report.findings.iter().map(one).collect()
}

fn one(finding: &Finding) -> String {
    let Finding { file, document: _, region, rule, severity, object, field, message } = finding;
    let colour = match severity {
        Severity::Error => AnsiColor::Red.on_default().bold(),
        Severity::Warning => AnsiColor::Yellow.on_default().bold(),
    };
    let mut text =
        format!("{colour}{severity}[{rule}]{colour:#}{BOLD}: {}{BOLD:#}\n", sentence(field, message));
    let object = object.as_ref().map(|object| format!("  {object}")).unwrap_or_default();
    // Writing to a text cannot fail.
    let _ = writeln!(text, "  {LOCATION}-->{LOCATION:#} {file}:{}:{}{object}", region.line, region.column);
    text
}

/// The message with its field in front, unless it names it itself.
pub(super) fn sentence(field: &str, message: &str) -> String {
    if field.is_empty() || message.starts_with("spec.") || message.starts_with("metadata.") {
        return message.to_owned();
    }
    format!("{field}: {message}")
}

/// How many there are, in one line.
pub fn summary(report: &Report) -> String {
    let Report { checked, others, unread, .. } = report;
    let counts = [
        many(*checked, "manifest checked", "manifests checked"),
        many(report.count(Severity::Error), "error", "errors"),
        many(report.count(Severity::Warning), "warning", "warnings"),
    ];
    let mut text = counts.join(", ");
    if *others > 0 {
        let _ = write!(
            text,
            "; {} passed over",
            many(*others, "document of another kind", "documents of other kinds")
        );
    }
    if *unread > 0 {
        let _ = write!(
            text,
            "; {} passed over",
            many(*unread, "document that is no YAML", "documents that are no YAML")
        );
    }
    text
}

fn many(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}
