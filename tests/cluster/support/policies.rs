//! The chart's templates, as Helm renders them.

use std::process::Output;

use super::command::{run, text};

/// What helm asks a cluster for, and is told here.
const MUTATING: &str = "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy";

/// What the chart makes of some of its templates, for a cluster that serves mutating policies.
pub fn render(templates: &[&str], values: &str) -> String {
    let templates: Vec<String> = templates.iter().map(|name| format!("templates/{name}.yaml")).collect();
    let shown = templates.iter().flat_map(|template| ["--show-only", template.as_str()]);
    let arguments: Vec<&str> =
        ["--api-versions", MUTATING, "--set", values].into_iter().chain(shown).collect();
    helm_template(&arguments)
}

pub fn helm_template(arguments: &[&str]) -> String {
    text(&helm(arguments))
}

/// What Helm makes of the chart, or what it has against it.
pub fn helm(arguments: &[&str]) -> Output {
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/keyward");
    let arguments: Vec<&str> =
        ["template", "keyward", chart].into_iter().chain(arguments.iter().copied()).collect();
    run("helm", &arguments, "")
}

/// Applies what was rendered.
pub(super) fn apply(manifests: &str) {
    text(&run("kubectl", &["apply", "--server-side", "-f", "-"], manifests));
}
