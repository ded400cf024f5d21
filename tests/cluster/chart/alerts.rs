//! The alerts: each is explained, each fires when it should, and none does when all is well.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{WITH_TLS, all_objects, find, objects, promtool, rendered};

const PAGE: &str = include_str!("../../../docs/alerts.md");

/// The alerts of the controller, and those of the verifier.
fn groups(objects: &[Value]) -> Value {
    find(objects, "PrometheusRule", "keyward").unwrap()["spec"]["groups"].clone()
}

fn rules(groups: &Value) -> Vec<&Value> {
    groups.as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap()).collect()
}

fn names(groups: &Value) -> BTreeSet<String> {
    rules(groups).into_iter().map(|rule| rule["alert"].as_str().unwrap().to_owned()).collect()
}

/// The queries of all of them.
pub fn queries() -> Vec<String> {
    let groups = groups(&all_objects(""));
    rules(&groups).into_iter().map(|rule| rule["expr"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_alert_has_its_section_and_every_section_its_alert() {
    let sections = PAGE.lines().filter_map(|line| line.strip_prefix("## "));
    let sections: BTreeSet<String> = sections.map(str::to_owned).collect();
    assert_eq!(names(&groups(&all_objects(""))), sections);
    for section in PAGE.split("\n## ").skip(1) {
        for part in ["**Means:**", "**Look", "**do**", "**Goes away**"] {
            let found = section.contains(part) || section.contains(&part.replace("**do**", "**Do:**"));
            assert!(found, "{part} in {section}");
        }
    }
}

#[test]
fn every_alert_says_how_bad_it_is_what_is_so_and_where_to_read_on() {
    let groups = groups(&all_objects(""));
    for rule in rules(&groups) {
        let name = rule["alert"].as_str().unwrap();
        assert_eq!(rule["labels"]["team"], "platform", "{name}");
        assert!(
            ["critical", "warning", "info"].contains(&rule["labels"]["severity"].as_str().unwrap()),
            "{name}"
        );
        let page = "https://github.com/keyward-dev/keyward/blob/main/docs/alerts.md";
        assert_eq!(rule["annotations"]["runbook_url"], format!("{page}#{}", name.to_lowercase()));
        for text in ["summary", "description"] {
            let text = rule["annotations"][text].as_str().unwrap();
            assert!(text.len() > 20 && text.ends_with('.'), "{name}: {text}");
        }
        let left = ["SELECTOR", "WITHIN", "ABOVE", "SILENCE", "MAX_CONNECTIONS", "nil"];
        let expr = rule["expr"].as_str().unwrap();
        assert!(left.iter().all(|word| !expr.contains(word)), "{expr}");
    }
}

#[test]
fn every_alert_can_be_set_by_a_value_of_its_name() {
    let values: Value = serde_yaml::from_str(include_str!("../../../charts/keyward/values.yaml")).unwrap();
    let set = values["metrics"]["prometheusRule"]["alerts"].as_object().unwrap().keys();
    let groups = groups(&all_objects(""));
    assert_eq!(set.cloned().collect::<BTreeSet<_>>(), names(&groups));
}

#[test]
fn prometheus_takes_all_of_them() {
    let groups = groups(&all_objects(""));
    let said = promtool::check(&groups);
    assert!(said.contains(&format!("{} rules found", rules(&groups).len())), "{said}");
}

#[test]
fn alerts_are_as_the_values_say() {
    let on = "metrics.prometheusRule.enabled=true";
    let of_controller = groups(&objects(&format!("{on},verifier.enabled=false")));
    assert_eq!(
        of_controller.as_array().unwrap().len(),
        1,
        "without a verifier there is nothing to say of one"
    );

    let set = "metrics.prometheusRule.alerts";
    let values = format!(
        "{WITH_TLS},{on},verifier.maxStalenessSeconds=60,verifier.maxConnections=1000000,metrics.prometheusRule.selector=cluster=\"x\",\
         {set}.KeywardNoLeader.enabled=false,{set}.KeywardAccessKeysExpiring.within=30d,\
         {set}.KeywardAccessKeysExpired.above=7,{set}.KeywardAccessKeysExpired.for=1h,\
         {set}.KeywardAccessKeysExpired.severity=page,\
         metrics.prometheusRule.runbookUrl=https://runbooks.example.org/keyward"
    );
    // A number with a point is a text for `--set`.
    let part = format!("{set}.KeywardVerifierRefusesMany.above=0.25");
    let groups = groups(&rendered(&["--set", &values, "--set-json", &part]));
    assert!(!names(&groups).contains("KeywardNoLeader"));
    let rule = |name: &str| *rules(&groups).iter().find(|rule| rule["alert"] == name).unwrap();
    let expr = |name: &str| rule(name)["expr"].as_str().unwrap();
    assert_eq!(
        expr("KeywardAccessKeysExpiring"),
        "max(keyward_access_keys_expiring{cluster=\"x\",within=\"30d\"}) > 0"
    );
    assert!(expr("KeywardVerifierStale").ends_with("> 40"));
    assert!(expr("KeywardVerifierRefusesMany").ends_with("> 0.25"));
    assert!(expr("KeywardVerifierConnectionsFull").ends_with("/ 1000000 > 0.9"));
    let expired = rule("KeywardAccessKeysExpired");
    assert!(expr("KeywardAccessKeysExpired").ends_with("> 7"));
    assert_eq!((&expired["for"], &expired["labels"]["severity"]), (&json!("1h"), &json!("page")));
    let page = "https://runbooks.example.org/keyward#keywardaccesskeysexpired";
    assert_eq!(expired["annotations"]["runbook_url"], page);

    let stale = objects(&format!("{WITH_TLS},{on},{set}.KeywardVerifierStale.aboveSeconds=17"));
    assert!(super::alerts::groups(&stale).to_string().contains("> 17\""));
}

#[test]
fn an_alert_looks_at_its_own_release_only() {
    let groups = groups(&all_objects(""));
    let selector = "namespace=\"keyward-system\",job=~\"keyward(-verifier)?-metrics\"";
    for rule in rules(&groups) {
        let expr = rule["expr"].as_str().unwrap();
        assert_eq!(expr.matches("keyward_").count(), expr.matches(selector).count(), "{expr}");
    }
}

/// Series on which nothing is wrong, a value a minute, for an hour and a half.
const HEALTHY: [(&str, &str); 22] = [
    ("keyward_leader{pod=\"a\"}", "1x90"),
    ("keyward_leader{pod=\"b\"}", "0x90"),
    ("keyward_access_keys_expiring{pod=\"a\",within=\"30d\"}", "4x90"),
    ("keyward_access_keys_expiring{pod=\"a\",within=\"7d\"}", "0x90"),
    ("keyward_access_keys_expiring{pod=\"a\",within=\"1d\"}", "0x90"),
    ("keyward_objects{pod=\"a\",kind=\"AccessKey\",state=\"Active\"}", "9x90"),
    ("keyward_objects{pod=\"a\",kind=\"AccessKey\",state=\"Expired\"}", "0x90"),
    ("keyward_objects{pod=\"a\",kind=\"AccessKey\",state=\"Pending\"}", "0x90"),
    ("keyward_objects{pod=\"a\",kind=\"AccessKey\",state=\"Unknown\"}", "0x90"),
    ("keyward_stalled{pod=\"a\",kind=\"AccessKey\",reason=\"Expired\"}", "1x90"),
    ("keyward_stalled{pod=\"a\",kind=\"AccessKey\",reason=\"KeyLimitExceeded\"}", "0x90"),
    ("keyward_audit_entries_total{pod=\"a\",reason=\"Reissued\"}", "0x90"),
    ("keyward_audit_entries_total{pod=\"a\",reason=\"Issued\"}", "0+1x90"),
    ("keyward_reconcile_errors_total{pod=\"a\",kind=\"AccessKey\",reason=\"Conflict\"}", "0+1x90"),
    ("keyward_reconcile_errors_total{pod=\"a\",kind=\"AccessKey\",reason=\"Timeout\"}", "0x90"),
    ("keyward_audit_event_errors_total{pod=\"a\",reason=\"Timeout\"}", "0x90"),
    ("keyward_verifier_tokens{pod=\"v\"}", "9x90"),
    ("keyward_verifier_silence_seconds{pod=\"v\",kind=\"AccessKey\"}", "40x90"),
    ("keyward_verifier_verifications_total{pod=\"v\",outcome=\"allowed\",cause=\"\"}", "0+600x90"),
    (
        "keyward_verifier_verifications_total{pod=\"v\",outcome=\"refused\",cause=\"NoCredential\"}",
        "0+900x90",
    ),
    ("keyward_verifier_verifications_total{pod=\"v\",outcome=\"refused\",cause=\"Stale\"}", "0x90"),
    ("keyward_verifier_held_back_total{pod=\"v\"}", "0+30x90"),
];

/// What is otherwise than healthy, and which alerts fire for it after an hour.
type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);

const CASES: [Case; 18] = [
    (&[], &[]),
    (&[("keyward_leader{pod=\"a\"}", "1x40 0x50")], &["KeywardNoLeader"]),
    (&[("keyward_leader{pod=\"a\"}", "1x40"), ("keyward_leader{pod=\"b\"}", "0x40")], &["KeywardNoLeader"]),
    (&[("keyward_leader{pod=\"a\"}", "1x57 0x30")], &[]),
    (
        &[("keyward_access_keys_expiring{pod=\"a\",within=\"7d\"}", "0x40 2x50")],
        &["KeywardAccessKeysExpiring"],
    ),
    (
        &[("keyward_access_keys_expiring{pod=\"a\",within=\"1d\"}", "0x40 1x50")],
        &["KeywardAccessKeysAboutToExpire"],
    ),
    (
        &[("keyward_objects{pod=\"a\",kind=\"AccessKey\",state=\"Expired\"}", "1x90")],
        &["KeywardAccessKeysExpired"],
    ),
    (
        &[("keyward_stalled{pod=\"a\",kind=\"AccessKey\",reason=\"KeyLimitExceeded\"}", "0x40 1x50")],
        &["KeywardRefused"],
    ),
    (
        &[("keyward_objects{pod=\"a\",kind=\"AccessKey\",state=\"Pending\"}", "0x40 1x50")],
        &["KeywardAccessKeysPending"],
    ),
    (
        &[("keyward_audit_entries_total{pod=\"a\",reason=\"Reissued\"}", "0x40 1x50")],
        &["KeywardTokensReissued"],
    ),
    (
        &[("keyward_reconcile_errors_total{pod=\"a\",kind=\"AccessKey\",reason=\"Timeout\"}", "0x20 1+1x70")],
        &["KeywardPassesFail"],
    ),
    (
        &[("keyward_audit_event_errors_total{pod=\"a\",reason=\"Timeout\"}", "0x55 1x35")],
        &["KeywardAuditEventsLost"],
    ),
    (&[("keyward_verifier_tokens{pod=\"v\"}", "9x40")], &["KeywardVerifierAbsent"]),
    (
        &[("keyward_verifier_silence_seconds{pod=\"v\",kind=\"AccessKey\"}", "40x55 60+60x35")],
        &["KeywardVerifierStale"],
    ),
    (
        &[("keyward_verifier_silence_seconds{pod=\"v\",kind=\"AccessKey\"}", "40x40 -1x50")],
        &["KeywardVerifierNotSynced"],
    ),
    (
        &[(
            "keyward_verifier_verifications_total{pod=\"v\",outcome=\"refused\",cause=\"Stale\"}",
            "0x50 1+600x40",
        )],
        &["KeywardVerifierUnavailable"],
    ),
    (
        &[
            (
                "keyward_verifier_verifications_total{pod=\"v\",outcome=\"refused\",cause=\"UnknownKey\"}",
                "0+700x90",
            ),
            ("keyward_verifier_held_back_total{pod=\"v\"}", "0+120x90"),
        ],
        &["KeywardVerifierGuessing", "KeywardVerifierRefusesMany"],
    ),
    (
        &[
            ("keyward_verifier_failed_writes_total{pod=\"v\",reason=\"Forbidden\"}", "0x10 1+1x80"),
            ("keyward_verifier_failed_writes_total{pod=\"v\",reason=\"Conflict\"}", "0+1x90"),
            ("keyward_verifier_connections{pod=\"v\"}", "1000x90"),
        ],
        &["KeywardVerifierConnectionsFull", "KeywardVerifierUseNotWritten"],
    ),
];

/// A test for promtool: on these series exactly these alerts fire.
fn test((different, firing): (&[(&str, &str)], &[&str])) -> Value {
    let named = |name: &str| different.iter().any(|(other, _)| *other == name);
    let series = HEALTHY.iter().filter(|(name, _)| !named(name)).chain(different);
    let series: Vec<Value> = series
        .map(|(name, values)| json!({"series": name.replace('{', "{tested=\"yes\","), "values": values}))
        .collect();
    let samples: Vec<Value> = firing
        .iter()
        .map(|name| json!({"labels": format!("{{alertname=\"{name}\"}}"), "value": 1}))
        .collect();
    let query = "count by (alertname) (ALERTS{alertstate=\"firing\"})";
    json!({
        "name": firing.join(" and "), "interval": "1m", "input_series": series,
        "promql_expr_test": [{"expr": query, "eval_time": "1h", "exp_samples": samples}],
    })
}

#[test]
fn each_alert_fires_when_it_should_and_none_when_all_is_well() {
    let groups = groups(&all_objects("metrics.prometheusRule.selector=tested=\"yes\""));
    let fire: BTreeSet<String> =
        CASES.iter().flat_map(|(_, firing)| *firing).map(|name| (*name).to_owned()).collect();
    assert_eq!(fire, names(&groups), "each is tried");
    let tests: Vec<Value> = CASES.into_iter().map(test).collect();
    let tests = json!({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests});
    promtool::try_out(&groups, &tests);
}
