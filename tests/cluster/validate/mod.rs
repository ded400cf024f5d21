//! `keyward validate` says what the real API server and the real controller say.

mod mistakes;
mod mutations;
mod together;

use chrono::{DateTime, Utc};
use keyward::validate::finding::{Finding, Report};
use keyward::validate::rule::Source;
use keyward::validate::{Checker, File, Options};

use super::support::Scene;

fn now() -> DateTime<Utc> {
    keyward::runtime::clock::now()
}

fn check(checker: &Checker, text: &str) -> Report {
    let file = File { name: "manifests.yaml".to_owned(), text: text.to_owned() };
    checker.check(&[file], None, &Options::default(), now())
}

/// What is said to be the API server's business.
fn of_the_api_server(report: &Report) -> Vec<&Finding> {
    report.findings.iter().filter(|finding| finding.rule.source() == Source::ApiServer).collect()
}

/// A field's path in one form: the API server names an entry of a map now `[key]`, now `.key`.
fn alike(path: &str) -> String {
    path.replace('[', ".").replace(']', "")
}

/// Of labels and the like the API server says only that one of them is wrong.
fn as_the_api_server(field: &str) -> String {
    let whole = ["metadata.labels", "metadata.annotations", "metadata.finalizers"];
    whole.into_iter().find(|whole| field.starts_with(whole)).unwrap_or(field).to_owned()
}

/// A dry run of kubectl, as strict as it can be.
fn dry_run(scene: &Scene, text: &str) -> Result<(), String> {
    let output = scene.kubectl_with(&["apply", "--dry-run=server", "--validate=strict", "-f", "-"], text);
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
