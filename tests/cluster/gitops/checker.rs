//! Asks kstatus, Argo CD and Flux about objects, through the health checker.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use keyward_dev::Tool;
use serde::Deserialize;
use serde_json::{Value, json};

use super::customizations::{KINDS, docs, read, scripts};
use super::{run, text};

/// What each says of one object.
#[derive(Debug, Deserialize)]
pub struct Answer {
    pub kstatus: Verdict,
    pub argo: Verdict,
    pub flux: Verdict,
    /// What Argo CD offers to do.
    pub offered: Vec<Offer>,
    /// What each action makes of it, whether it is offered or not.
    pub acted: BTreeMap<String, Acted>,
}

#[derive(Debug, Deserialize)]
pub struct Verdict {
    pub status: String,
    pub message: String,
    /// Why there is none.
    #[serde(default)]
    pub error: String,
}

/// An action as Argo CD shows it, and as its tests list it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Offer {
    pub name: String,
    #[serde(default)]
    pub disabled: bool,
    #[serde(default)]
    pub icon_class: String,
    #[serde(default)]
    pub display_name: String,
}

#[derive(Debug, Deserialize)]
pub struct Acted {
    #[serde(default)]
    pub object: Value,
    #[serde(default)]
    pub error: String,
}

/// With the scripts of `docs/argo-cd` and the expressions of `docs/gitops.md`.
pub fn ask(objects: &[Value]) -> Vec<Answer> {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| Tool::Health.ensure().unwrap().display().to_string());
    let scripts: BTreeMap<&str, _> = KINDS.iter().map(|kind| (*kind, scripts(kind))).collect();
    let question =
        json!({"scripts": scripts, "healthCheckExprs": health_check_exprs(), "objects": objects}).to_string();
    let answers: Vec<Answer> = serde_json::from_str(&text(&run(program, &[], &question))).unwrap();
    assert_eq!(answers.len(), objects.len());
    answers
}

/// The one block of the page that shows a Kustomization with expressions.
fn health_check_exprs() -> Value {
    let page = read(&docs().join("gitops.md"));
    let mut blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.find(|block| block.contains("healthCheckExprs:")).expect("the page shows expressions");
    let kustomization: Value = serde_yaml::from_str(block).unwrap();
    assert_eq!(kustomization["kind"], "Kustomization");
    kustomization["spec"]["healthCheckExprs"].clone()
}
