//! Prometheus' own tool, over rules that the tests give it.

use keyward_dev::Tool;
use serde_json::Value;

use crate::support::{run, text};

/// What it has to say to groups of rules; nothing may be wrong with them.
pub fn check(groups: &Value) -> String {
    promtool(&["check", "rules", "--lint=all", "--lint-fatal"], &serde_json::json!({"groups": groups}), None)
}

/// Tries groups of rules out on series that the tests make up. `{{groups}}` is where a test file finds the
/// rules.
pub fn try_out(groups: &Value, tests: &Value) -> String {
    promtool(&["test", "rules"], tests, Some(&serde_json::json!({"groups": groups})))
}

fn promtool(arguments: &[&str], file: &Value, rules: Option<&Value>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.yaml");
    std::fs::write(&path, file.to_string()).unwrap();
    if let Some(rules) = rules {
        std::fs::write(folder.path().join("rules.yaml"), rules.to_string()).unwrap();
    }
    let program = Tool::Promtool.ensure().unwrap();
    let arguments = [arguments, &[path.to_str().unwrap()]].concat();
    let output = run(program.to_str().unwrap(), &arguments, "");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat())
    );
    text(&output)
}
