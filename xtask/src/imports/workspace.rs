//! The crates of the workspace, as cargo knows them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::error::Error;

/// The root of every crate: libraries, programs, tests, benchmarks and examples. From the top of the workspace.
pub(super) fn roots(workspace: &Path) -> Result<Vec<PathBuf>, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(workspace);
    let output = command.output().map_err(Error::Cargo)?;
    if !output.status.success() {
        return Err(Error::Metadata(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let top = Path::new(metadata["workspace_root"].as_str().unwrap_or_default());
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let roots = targets.filter_map(|target| target["src_path"].as_str()).map(Path::new);
    Ok(roots.map(|root| root.strip_prefix(top).unwrap_or(root).to_owned()).collect())
}
