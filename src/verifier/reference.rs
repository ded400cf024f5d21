//! Reference pages about the verifier, generated from what it does.

use clap::{Arg, Args as _, Command};

use super::contact::Contact;
use super::http::{openapi, told};
use super::index::Index;
use super::journal::{COUNT, FIELDS};
use super::metrics::Metrics;
use crate::domain::reference::Page;
use crate::domain::reference::markdown::{code, codes, section, table};
use crate::domain::verdict::Cause;
use crate::runtime::config::VerifierArgs;

/// Every page.
pub fn pages() -> Vec<Page> {
    let document = format!("{:#}\n", openapi::document());
    vec![
        Page { name: "openapi.json".into(), text: document },
        Page { name: "verdicts.md".into(), text: verdicts() },
        Page { name: "verifier.md".into(), text: verifier() },
    ]
}

/// What is answered, and what is told of it.
fn verdicts() -> String {
    [
        "# Verdicts\n\nWhat the [verifier](../verifier.md) answers, and what its audit lines tell. Generated from the \
         source. The answers in full are in [openapi.json](openapi.json), which a verifier serves at `/openapi.json`.\n"
            .to_owned(),
        section(
            "Let in",
            "`/auth` answers 200 with all of these headers, empty where they do not apply.\n\n",
            ["header", "meaning"],
            told::identity().map(|(name, about)| [code(canonical(&name)), about.to_owned()]),
        ),
        section(
            "Refused",
            "The cause is in audit lines and metrics only. Clients learn status and code: one for every token that is not \
             good. In place of a 429, nginx is told 403. `/v1/verify` answers `invalid_token` and `insufficient_scope` \
             with 200 and `valid` false.\n\n",
            ["cause", "status", "code", "meaning"],
            Cause::ALL.iter().map(|cause| {
                let (status, word) = told::refusal(*cause);
                [code(cause.as_str()), status.to_string(), code(word), cause.meaning().to_owned()]
            }),
        ),
        section(
            "Audit lines",
            "JSON objects, one a line, on standard output. A field that does not apply is not there.\n\n",
            ["field", "meaning"],
            FIELDS.iter().chain([&COUNT]).map(|(name, about)| [code(name), (*about).to_owned()]),
        ),
    ]
    .concat()
}

/// `x-keyward-key-id` becomes `X-Keyward-Key-Id`.
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
    });
    words.collect::<Vec<String>>().join("-")
}

/// How it is run and watched.
fn verifier() -> String {
    let command = VerifierArgs::augment_args(Command::new("verifier"));
    let flag = |flag: &Arg| {
        let name = flag.get_long().map(|name| code(format!("--{name}"))).unwrap_or_default();
        let variable = flag.get_env().and_then(|name| name.to_str()).map(code).unwrap_or_default();
        let default: Vec<&str> =
            flag.get_default_values().iter().filter_map(|value| value.to_str()).collect();
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        [name, variable, codes(default), format!("{}.", help.trim_end_matches('.'))]
    };
    let flags = table(["flag", "environment", "default", "meaning"], command.get_arguments().map(flag));
    [
        "# The verifier's flags and metrics\n\nHow to run it: [The verifier](../verifier.md). Generated from the source.\n\n\
         ## Flags\n\n`keyward verifier` reads flags or environment variables. The chart sets the latter.\n\n"
            .to_owned(),
        flags,
        section(
            "Metrics",
            "`/metrics` answers in the OpenMetrics format. No label holds the name of an object.\n\n",
            ["metric", "type", "labels", "meaning"],
            metrics().into_iter(),
        ),
    ]
    .concat()
}

/// Read from the text that is served, so that names are as they are there.
fn metrics() -> Vec<[String; 4]> {
    let metrics = Metrics::default();
    let contact = Contact::new(std::time::Duration::ZERO);
    let text = metrics.text(&Index::default(), &contact).unwrap_or_default();
    let mut rows: Vec<[String; 4]> = Vec::new();
    let mut help = "";
    for line in text.lines() {
        if let Some((_, about)) = line.strip_prefix("# HELP ").and_then(|line| line.split_once(' ')) {
            help = about;
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|line| line.split_once(' '))
        {
            let name = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
            rows.push([code(name), kind.to_owned(), String::new(), help.to_owned()]);
        } else if let Some(([_, _, labels, _], (_, rest))) = rows.last_mut().zip(line.split_once('{'))
            && labels.is_empty()
        {
            let names = rest.split("=\"").map(|part| part.rsplit([',', '"']).next().unwrap_or(part));
            let names: Vec<&str> = names.filter(|name| !name.is_empty() && !name.contains('}')).collect();
            *labels = codes(names);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_listed_as_they_are_served() {
        let rows = metrics();
        let find = |name: &str| rows.iter().find(|[metric, ..]| *metric == format!("`{name}`")).unwrap();
        let [_, kind, labels, about] = find("keyward_verifier_verifications_total");
        assert_eq!((kind.as_str(), labels.as_str()), ("counter", "`endpoint`, `outcome`, `cause`"));
        assert_eq!(about, "Requests for a verdict, by endpoint, outcome and the cause of a refusal.");
        let [_, kind, labels, _] = find("keyward_verifier_silence_seconds");
        assert_eq!((kind.as_str(), labels.as_str()), ("gauge", "`kind`"));
        assert!(find("keyward_verifier_connections")[2].is_empty());
    }
}
