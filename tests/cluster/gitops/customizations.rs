//! The folder that Argo CD takes: scripts, their tests, and recorded objects.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// The kinds that have scripts.
pub const KINDS: [&str; 4] = ["AccessKey", "ServiceAccount", "ResourceGrant", "Account"];

/// The scripts of one kind.
#[derive(Debug, PartialEq, Serialize)]
pub struct Scripts {
    pub health: String,
    pub discovery: String,
    pub actions: BTreeMap<String, String>,
}

/// The folder of a kind.
pub fn folder(kind: &str) -> PathBuf {
    docs().join("argo-cd/resource_customizations/iam.keyward.dev").join(kind)
}

/// The folder of the documentation.
pub fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// The scripts of a kind; those that it does not have are empty.
pub fn scripts(kind: &str) -> Scripts {
    let folder = folder(kind);
    let actions = folder.join("actions");
    let named = |name: &String| (name.clone(), read(&actions.join(name).join("action.lua")));
    if !actions.exists() {
        let health = read(&folder.join("health.lua"));
        return Scripts { health, discovery: String::new(), actions: BTreeMap::new() };
    }
    Scripts {
        health: read(&folder.join("health.lua")),
        discovery: read(&actions.join("discovery.lua")),
        actions: actions_in(&actions).iter().map(named).collect(),
    }
}

/// The actions that a folder has scripts of.
fn actions_in(folder: &Path) -> Vec<String> {
    names_in(folder).into_iter().filter(|name| folder.join(name).join("action.lua").exists()).collect()
}

/// What stands in a folder, by name.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
