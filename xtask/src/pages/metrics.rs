//! The page of metrics. It is read from what `/metrics` serves, so that names and labels are as they are
//! there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use keyward::api::Reason;
use keyward::controller;
use keyward::domain::verdict::Cause;
use keyward::runtime::clock::Clock;
use keyward::verifier::freshness::Freshness;
use keyward::verifier::index::Index;
use keyward::verifier::metrics::Metrics;

use crate::markdown::{code, codes, section};

/// The page.
///
/// # Errors
/// When the metrics cannot be written as text.
pub(super) fn page() -> Result<String, std::fmt::Error> {
    let freshness = Freshness::new(Duration::ZERO, Clock::System);
    let verifier = Metrics::default().text(&Index::default(), &freshness)?;
    Ok([
        "# Metrics\n\nWhat controller and verifier serve at `/metrics` of their health address, in the OpenMetrics format. \
         No label holds the name of an object: each has a closed list of values, and counters are there from the start, \
         at 0. What to watch: [Operations](../operations.md#metrics). Generated from the source.\n"
            .to_owned(),
        of_process("Controller", &controller::at_rest()?),
        of_process("Verifier", &verifier),
    ]
    .concat())
}

/// The part of the page about one process, out of what it serves.
pub fn of_process(heading: &str, served: &str) -> String {
    section(heading, "", ["metric", "type", "unit", "labels", "meaning"], read(served).into_iter().map(row))
}

fn row(metric: Metric) -> [String; 5] {
    let Metric { name, kind, unit, labels, about } = metric;
    let labels: Vec<String> =
        labels.iter().map(|(name, values)| format!("{}: {}", code(name), one_of(values))).collect();
    [code(name), kind, unit, labels.join("; "), about]
}

/// The values of a label, or where they are listed.
fn one_of(values: &BTreeSet<String>) -> String {
    let all =
        |known: &dyn Fn(&str) -> bool| values.iter().filter(|value| !value.is_empty()).all(|v| known(v));
    if all(&|value| Reason::ALL.iter().any(|reason| reason.as_str() == value)) {
        return "a [reason](events.md)".to_owned();
    }
    if all(&|value| Cause::ALL.iter().any(|cause| cause.as_str() == value)) {
        return "the [cause](verdicts.md#refused) of a refusal, otherwise empty".to_owned();
    }
    codes(values.iter().map(String::as_str))
}

/// A metric as it is served.
#[derive(Debug, Default, PartialEq, Eq)]
struct Metric {
    name: String,
    kind: String,
    unit: String,
    labels: BTreeMap<String, BTreeSet<String>>,
    about: String,
}

/// Reads the text format. A counter is named as its samples are.
fn read(served: &str) -> Vec<Metric> {
    let mut metrics: Vec<Metric> = Vec::new();
    for line in served.lines() {
        if let Some((name, about)) = line.strip_prefix("# HELP ").and_then(|line| line.split_once(' ')) {
            metrics.push(Metric { name: name.to_owned(), about: about.to_owned(), ..Metric::default() });
        }
        let Some(metric) = metrics.last_mut() else { continue };
        if let Some((_, kind)) = line.strip_prefix("# TYPE ").and_then(|line| line.split_once(' ')) {
            kind.clone_into(&mut metric.kind);
            if kind == "counter" {
                metric.name.push_str("_total");
            }
        } else if let Some((_, unit)) = line.strip_prefix("# UNIT ").and_then(|line| line.split_once(' ')) {
            unit.clone_into(&mut metric.unit);
        } else {
            for (name, value) in labels(line) {
                metric.labels.entry(name.to_owned()).or_default().insert(value.to_owned());
            }
        }
    }
    metrics
}

/// Labels of a sample, without the bounds of a histogram. No value holds a quotation mark or a comma.
fn labels(sample: &str) -> impl Iterator<Item = (&str, &str)> {
    let inside = sample.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')).map(|(inside, _)| inside);
    let pairs =
        inside.into_iter().flat_map(|inside| inside.split(',')).filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name, value.trim_matches('"'))).filter(|(name, _)| *name != "le")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_as_they_are_served() {
        let served = "# HELP a_things Things, by kind.\n# TYPE a_things counter\na_things_total{kind=\"x\"} 1\n\
                      a_things_total{kind=\"\"} 0\n# HELP a_time_seconds Time.\n# TYPE a_time_seconds histogram\n\
                      # UNIT a_time_seconds seconds\na_time_seconds_bucket{le=\"0.1\",kind=\"x\"} 1\n# EOF\n";
        let [things, time] = &read(served)[..] else { panic!("{served}") };
        assert_eq!((things.name.as_str(), things.kind.as_str()), ("a_things_total", "counter"));
        assert_eq!(things.about, "Things, by kind.");
        assert_eq!(things.labels["kind"], BTreeSet::from([String::new(), "x".to_owned()]));
        assert_eq!((time.name.as_str(), time.unit.as_str()), ("a_time_seconds", "seconds"));
        assert_eq!(time.labels.keys().collect::<Vec<_>>(), ["kind"]);
    }

    #[test]
    fn every_label_has_its_values_from_the_start() {
        let text = page().unwrap();
        for row in [
            "`keyward_reconciles_total` | counter |  | `kind`: `AccessKey`, `Account`, `ResourceGrant`, `Secret`, \
             `ServiceAccount` |",
            "`keyward_reconcile_duration_seconds` | histogram | seconds | `kind`: ",
            "`keyward_audit_entries_total` | counter |  | `reason`: a [reason](events.md) |",
            "`keyward_access_keys_expiring` | gauge |  | `within`: `1d`, `30d`, `7d` |",
            "`keyward_leader` | gauge |  |  |",
            "`keyward_verifier_silence_seconds` | gauge | seconds | `kind`: ",
            "`outcome`: `allowed`, `refused` |",
            "`cause`: the [cause](verdicts.md#refused) of a refusal, otherwise empty;",
        ] {
            assert!(text.contains(row), "{row} in:\n{text}");
        }
    }
}
