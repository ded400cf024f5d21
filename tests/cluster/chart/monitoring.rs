//! What is scraped and by whom; and that what alerts and the dashboard ask for is really there to be scraped.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{WITH_TLS, all_objects, find, objects, refused};
use crate::support::{Controller, Flags, Scene, Verifier, eventually};

/// Labels that Prometheus sets itself.
const OF_THE_TARGET: [&str; 3] = ["namespace", "job", "pod"];

#[test]
fn nothing_of_the_prometheus_operator_is_made_unasked() {
    let made = serde_json::to_string(&objects(WITH_TLS)).unwrap();
    assert!(!made.contains("monitoring.coreos.com") && !made.contains("grafana_dashboard"));
}

#[test]
fn a_service_monitor_finds_the_service_of_its_process() {
    let objects = objects(&format!("{WITH_TLS},metrics.serviceMonitor.enabled=true"));
    for name in ["keyward-metrics", "keyward-verifier-metrics"] {
        let monitor = find(&objects, "ServiceMonitor", name).unwrap();
        let service = find(&objects, "Service", name).unwrap();
        let wanted = monitor["spec"]["selector"]["matchLabels"].as_object().unwrap();
        let found = |object: &&Value| {
            wanted.iter().all(|(label, value)| object["metadata"]["labels"][label] == *value)
        };
        let services = objects.iter().filter(|object| {
            object["kind"] == "Service"
                && !object["metadata"]["name"].as_str().unwrap().ends_with("-verifier")
        });
        assert_eq!(services.filter(found).collect::<Vec<_>>(), [service]);
        let endpoint =
            json!([{"port": "metrics", "path": "/metrics", "interval": "30s", "honorLabels": false}]);
        assert_eq!(monitor["spec"]["endpoints"], endpoint);
        assert_eq!(service["spec"]["ports"][0]["name"], "metrics");
    }
    let words = "metrics.serviceMonitor.enabled needs metrics.service.enabled";
    refused("metrics.serviceMonitor.enabled=true,metrics.service.enabled=false", words);
}

#[test]
fn a_service_monitor_is_as_the_values_say() {
    let objects = all_objects("");
    let monitor = find(&objects, "ServiceMonitor", "keyward-metrics").unwrap();
    assert_eq!(monitor["metadata"]["labels"]["release"], "prometheus");
    assert_eq!(monitor["metadata"]["annotations"], json!({"example.org/owner": "platform"}));
    let relabeling = json!({
        "action": "replace", "sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "node",
    });
    let dropped = json!({"action": "drop", "sourceLabels": ["__name__"], "regex": "keyward_writes_total"});
    let endpoint = json!([{
        "port": "metrics", "path": "/metrics", "interval": "30s", "scrapeTimeout": "10s", "honorLabels": true,
        "relabelings": [relabeling], "metricRelabelings": [dropped],
    }]);
    assert_eq!(monitor["spec"]["endpoints"], endpoint);
}

/// The series that a query asks for: name, and label, operator and value of each matcher.
type Asked = (String, Vec<(String, String, String)>);

/// The series of Keyward's that a query asks for.
fn asked(query: &str) -> Vec<Asked> {
    let starts = query.match_indices("keyward_").map(|(at, _)| &query[at..]);
    let of = |rest: &str| {
        let end =
            rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
        let matchers = rest[end..].strip_prefix('{').map(|text| text.split_once('}').unwrap().0);
        let matchers = matchers.unwrap_or_default().split("\",").filter(|text| !text.is_empty());
        let matcher = |text: &str| {
            let (label, rest) = text.split_at(text.find(['=', '!']).unwrap());
            let (operator, value) = rest.split_once('"').unwrap();
            (label.to_owned(), operator.to_owned(), value.trim_end_matches('"').to_owned())
        };
        (rest[..end].to_owned(), matchers.map(matcher).collect())
    };
    starts.map(of).collect()
}

/// For each metric that is served, its labels, and the values of each.
type Served = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn served(metrics: &str) -> Served {
    let mut served = Served::new();
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        for (name, labels) in asked(line.rsplit_once(' ').unwrap().0) {
            let known = served.entry(name).or_default();
            for (label, _, value) in labels {
                known.entry(label).or_default().insert(value);
            }
        }
    }
    served
}

/// What a query asks for that is not served, in words.
fn missing(query: &str, served: &Served) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, matchers) in asked(query) {
        let Some(labels) = served.get(&name) else {
            missing.push(format!("{name} is not served, in: {query}"));
            continue;
        };
        for (label, _, values) in
            matchers.into_iter().filter(|(label, ..)| !OF_THE_TARGET.contains(&label.as_str()))
        {
            let known = labels.get(&label);
            let unknown =
                values.split('|').filter(|value| !known.is_some_and(|known| known.contains(*value)));
            missing.extend(unknown.map(|value| format!("{name} has no {label}={value:?}, in: {query}")));
        }
    }
    missing
}

#[tokio::test]
async fn whatever_alerts_and_the_dashboard_ask_for_is_served_by_running_processes() {
    let queries: Vec<String> =
        super::alerts::queries().into_iter().chain(super::dashboard::queries()).collect();
    assert!(queries.len() > 40 && queries.iter().all(|query| !asked(query).is_empty()), "{queries:#?}");

    let scene = Scene::new("metrics").await;
    scene.short_lived().await;
    let controller = Controller::start(&scene, Flags::default()).await;
    let verifier = Verifier::start(&scene, &[]).await;
    verifier.answers(&scene.issued("ci").await, 200).await;
    scene.key_with("short", "ci", json!({"validFor": "PT1S"})).await;
    scene.key_when("short", "Expired").await;
    eventually("all of it is served", async || {
        let served = served(&format!("{}{}", controller.metrics(), verifier.metrics()));
        let missing: Vec<String> = queries.iter().flat_map(|query| missing(query, &served)).collect();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    })
    .await;
}

#[test]
fn a_metric_a_label_or_a_value_that_is_not_served_is_noticed() {
    let served =
        served("# TYPE keyward_writes counter\nkeyward_writes_total{kind=\"Secret\"} 1\nkeyward_leader 1\n");
    let fine = "sum(keyward_writes_total{namespace=\"a\",kind=\"Secret\"}) / keyward_leader";
    assert_eq!(missing(fine, &served), [] as [&str; 0]);
    let wrong = "keyward_write_total + keyward_writes_total{kind=~\"Secret|Role\",state!=\"x\"}";
    let query = format!(", in: {wrong}");
    let found = missing(wrong, &served);
    let found: Vec<&str> = found.iter().map(|text| text.strip_suffix(&query).unwrap()).collect();
    assert_eq!(
        found,
        [
            "keyward_write_total is not served",
            "keyward_writes_total has no kind=\"Role\"",
            "keyward_writes_total has no state=\"x\"",
        ]
    );
}
