//! The crates of the workspace, as cargo knows them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::error::Error;

/// What `cargo metadata` prints, as far as it matters here.
#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    src_path: PathBuf,
}

/// The root of every crate: libraries, programs, tests, benchmarks and examples. From the top of the
/// workspace.
pub(super) fn roots(workspace: &Path) -> Result<Vec<PathBuf>, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(workspace);
    let output = command.output().map_err(Error::Cargo)?;
    if !output.status.success() {
        return Err(Error::Metadata(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
    let targets = metadata.packages.into_iter().flat_map(|package| package.targets);
    let in_workspace = |path: &Path| path.strip_prefix(&metadata.workspace_root).unwrap_or(path).to_owned();
    Ok(targets.map(|target| in_workspace(&target.src_path)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_crate_is_known_of_every_member() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let roots = roots(top).unwrap();
        for root in [
            "src/lib.rs",
            "src/main.rs",
            "src/bin/kubectl-keyward.rs",
            "benches/verification.rs",
            "examples/clients/verify.rs",
            "tests/cluster/main.rs",
            "tests/generated.rs",
            "dev/src/lib.rs",
            "dev/tests/command.rs",
            "xtask/src/lib.rs",
        ] {
            assert!(roots.contains(&PathBuf::from(root)), "{root} in {roots:?}");
        }
    }
}
