//! The health checker judges as strictly as those whose rules it goes by.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests may")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use keyward_dev::Tool;
use serde_json::{Value, json};

fn run(question: &Value) -> Output {
    let mut command = Command::new(Tool::Health.ensure().unwrap());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn ask(question: &Value) -> Value {
    let output = run(question);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// An object of the kind `Thing`.
fn thing(more: &Value) -> Value {
    let mut object =
        json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a", "generation": 1}});
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn health(script: &str) -> Value {
    let question = json!({"scripts": {"Thing": {"health": script}}, "objects": [thing(&json!({}))]});
    ask(&question)[0]["argo"].clone()
}

#[test]
fn a_script_has_the_libraries_and_the_time_that_argo_cd_gives_it() {
    let healthy =
        r#"for _, word in ipairs({"a"}) do return {status = "Healthy", message = word .. type(table)} end"#;
    assert_eq!(health(healthy), json!({"status": "Healthy", "message": "atable"}));
    for (script, error) in [
        (r#"return {status = string.format("%s", "Healthy")}"#, "attempt to index a non-table object(nil)"),
        ("while true do end", "context deadline exceeded"),
        ("return 'Healthy'", "a script must return a table, not string"),
        ("return {", "syntax error"),
    ] {
        let found = health(script);
        let said = found["error"].as_str().unwrap_or_default();
        assert!(said.contains(error), "{script}: {found}");
    }
    let invalid = json!({"status": "Unknown", "message": "Lua returned an invalid health status"});
    assert_eq!(health("return {status = 'Fine'}"), invalid);
}

#[test]
fn an_action_gives_the_object_as_it_should_become_with_empty_maps_as_they_were() {
    let object = thing(&json!({"spec": {"count": 1, "labels": {}, "rules": [{"names": []}, {}]}}));
    let question = json!({
        "scripts": {"Thing": {
            "discovery": r#"return {grow = {disabled = obj.spec.count > 9, iconClass = "fa", displayName = "Grow"}}"#,
            "actions": {"grow": "obj.spec.count = obj.spec.count + 1\nreturn obj"},
        }},
        "objects": [object.clone()],
    });
    let answer = &ask(&question)[0];
    let offered = json!([{"name": "grow", "disabled": false, "iconClass": "fa", "displayName": "Grow"}]);
    assert_eq!(answer["offered"], offered);
    let mut grown = object;
    grown["spec"]["count"] = json!(2);
    assert_eq!(answer["acted"]["grow"]["object"], grown);
}

#[test]
fn kstatus_and_flux_are_asked_in_their_own_way() {
    let checks = json!([{
        "apiVersion": "example.com/v1", "failed": "status.phase == 'Broken'", "current": "status.phase == 'Done'",
    }]);
    let of = |status: Value| thing(&json!({"status": status}));
    let objects = json!([
        thing(&json!({})),
        of(json!({"observedGeneration": -1})),
        of(json!({"observedGeneration": 1, "phase": "Done"})),
        of(json!({"observedGeneration": 1, "phase": "Broken"})),
        of(json!({"observedGeneration": 1, "phase": "Busy"})),
        of(json!({"conditions": [{"type": "Stalled", "status": "True", "message": "help"}]})),
    ]);
    let answers = ask(&json!({"healthCheckExprs": checks, "objects": objects}));
    let status = |by: &str| -> Vec<String> {
        let answers = answers.as_array().unwrap().iter();
        answers.map(|answer| answer[by]["status"].as_str().unwrap().to_owned()).collect()
    };
    // An object without a status is finished for kstatus, and an error for an expression about it.
    assert_eq!(status("kstatus"), ["Current", "InProgress", "Current", "Current", "Current", "Failed"]);
    assert_eq!(status("flux"), ["", "InProgress", "Current", "Failed", "InProgress", ""]);
    assert!(answers[0]["flux"]["error"].as_str().unwrap().contains("no such attribute"), "{answers}");
}

#[test]
fn a_question_that_is_not_understood_is_not_answered() {
    for (question, error) in [
        (json!({"object": []}), "unknown field \"object\""),
        (json!({"objects": [{}]}), "object 0: "),
        (json!({"healthCheckExprs": [{"apiVersion": "v1", "current": "1 +"}]}), "the expression \"1 +\""),
        (json!({"healthCheckExprs": [{"apiVersion": "v1"}]}), "the expressions for v1 lack `current`"),
        (
            json!({
                "objects": [thing(&json!({}))],
                "scripts": {"Thing": {"discovery": "return {grow = {dissabled = true}}"}},
            }),
            "unknown field \"dissabled\"",
        ),
    ] {
        let output = run(&question);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(error), "{question}: {said}");
    }
}
