//! The dashboard: what Grafana needs to show it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{all_objects, find, promtool};

fn dashboard() -> Value {
    let objects = all_objects("");
    let config = find(&objects, "ConfigMap", "keyward-dashboard").unwrap();
    assert_eq!(config["metadata"]["labels"]["grafana_dashboard"], "1", "by which Grafana's sidecar finds it");
    assert_eq!(config["metadata"]["annotations"], json!({"grafana_folder": "Keyward"}));
    serde_json::from_str(config["data"]["keyward.json"].as_str().unwrap()).unwrap()
}

fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().unwrap().iter()
}

/// The queries of all panels, and of the variable, as Grafana sends them.
pub fn queries() -> Vec<String> {
    let dashboard = dashboard();
    let targets = panels(&dashboard).flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let queries = targets.map(|target| target["expr"].as_str().unwrap().replace("$__rate_interval", "5m"));
    let variable = &dashboard["templating"]["list"][1]["query"]["query"];
    let variable = variable.as_str().unwrap().strip_prefix("label_values(").unwrap();
    queries.chain([variable.split_once(',').unwrap().0.to_owned()]).collect()
}

#[test]
fn prometheus_takes_every_query() {
    let queries = queries();
    let rules = queries
        .iter()
        .enumerate()
        .map(|(number, expr)| json!({"record": format!("panel:{number}"), "expr": expr}));
    let said = promtool::check(&json!([{"name": "dashboard", "rules": rules.collect::<Vec<_>>()}]));
    assert!(said.contains(&format!("{} rules found", queries.len())), "{said}");
}

#[test]
fn every_panel_has_its_own_place_and_asks_the_chosen_source_about_the_chosen_namespace() {
    let dashboard = dashboard();
    assert_eq!((&dashboard["uid"], &dashboard["title"]), (&json!("keyward"), &json!("Keyward")));
    let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
    let variables: Vec<&str> = variables.map(|variable| variable["name"].as_str().unwrap()).collect();
    assert_eq!(variables, ["datasource", "namespace"]);
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title} has an id of its own");
        let place = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        for (x, y) in (0..place("h")).flat_map(|y| (0..place("w")).map(move |x| (x, y))) {
            assert!(place("x") + x < 24, "{title} is within the page");
            assert!(taken.insert((place("x") + x, place("y") + y)), "{title} lies over another");
        }
        if panel["type"] == "row" {
            continue;
        }
        let source = json!({"type": "prometheus", "uid": "${datasource}"});
        assert_eq!(panel["datasource"], source, "{title}");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty() && !panel["fieldConfig"]["defaults"]["unit"].is_null(), "{title}");
        let mut letters = BTreeSet::new();
        for target in targets {
            let expr = target["expr"].as_str().unwrap();
            assert_eq!(target["datasource"], source, "{title}");
            assert!(letters.insert(target["refId"].as_str().unwrap()), "{title}");
            let asked = expr.matches("keyward_").count();
            assert_eq!(asked, expr.matches("namespace=~\"$namespace\"").count(), "{title}: {expr}");
        }
    }
}
