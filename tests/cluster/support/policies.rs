//! The chart's templates, as Helm renders them.

use std::process::Output;

use super::command::{run, text};
use super::identity::{CONTROLLER, VERIFIER};

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

/// The policies for programs that each scene runs in its own namespace: there the user names that the chart
/// puts in are those of the namespace in which a request is made.
pub(super) fn for_all_scenes(policies: &str) -> String {
    let names = [("keyward-verifier", VERIFIER), ("keyward", CONTROLLER)];
    // In a quoted text of YAML a quote is doubled.
    let quotes = ["''", "'"];
    names.into_iter().fold(policies.to_owned(), |text, (of_chart, of_scene)| {
        let put_in = quotes.iter().fold(text.clone(), |text, quote| {
            let given = format!("{quote}system:serviceaccount:default:{of_chart}{quote}");
            let own = format!(
                "{quote}system:serviceaccount:{quote} + request.namespace + {quote}:{of_scene}{quote}"
            );
            text.replace(&given, &own)
        });
        assert_ne!(put_in, text, "{of_chart} is not in the policies");
        put_in
    })
}

/// Applies what was rendered.
pub(super) fn apply(manifests: &str) {
    text(&run("kubectl", &["apply", "--server-side", "-f", "-"], manifests));
}
