//! The manifest by which krew installs the plugin, and how its checksums are filled in.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::super::support::text;

const MANIFEST: &str = include_str!("../../../packaging/krew/keyward.yaml");
const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

fn manifest(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// Checks what krew asks of a plugin, and gives its platforms as `os_arch` with their checksums.
fn platforms(manifest: &Value) -> Vec<(String, String)> {
    assert_eq!(manifest["apiVersion"], "krew.googlecontainertools.github.com/v1alpha2");
    assert_eq!((&manifest["kind"], &manifest["metadata"]["name"]), (&"Plugin".into(), &"keyward".into()));
    let spec = &manifest["spec"];
    assert_eq!(
        (&spec["version"], &spec["homepage"]),
        (&VERSION.into(), &env!("CARGO_PKG_REPOSITORY").into())
    );
    // krew's own guide: a line that does not wrap in the list of plugins.
    assert!((1..=50).contains(&spec["shortDescription"].as_str().unwrap().len()));
    assert!(spec["description"].as_str().unwrap().len() > 50);
    let one = |platform: &Value| {
        let labels = &platform["selector"]["matchLabels"];
        let name = format!("{}_{}", labels["os"].as_str().unwrap(), labels["arch"].as_str().unwrap());
        let uri = format!(
            "{}/releases/download/{VERSION}/kubectl-keyward_{VERSION}_{name}.tar.gz",
            env!("CARGO_PKG_REPOSITORY")
        );
        assert_eq!((&platform["uri"], &platform["bin"]), (&uri.into(), &"kubectl-keyward".into()));
        let files: Vec<&str> =
            platform["files"].as_array().unwrap().iter().map(|file| file["from"].as_str().unwrap()).collect();
        assert_eq!(files, ["kubectl-keyward", "LICENSE"]);
        (name, platform["sha256"].as_str().unwrap().to_owned())
    };
    spec["platforms"].as_array().unwrap().iter().map(one).collect()
}

#[test]
fn the_manifest_is_one_that_krew_takes_and_has_the_version_of_the_crate() {
    let platforms = platforms(&manifest(MANIFEST));
    let names: Vec<&str> = platforms.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64"]);
    assert!(platforms.iter().all(|(_, sha256)| *sha256 == "0".repeat(64)), "there are no archives yet");
    assert!(MANIFEST.contains("No release is published yet"));
}

#[test]
fn the_manifest_of_a_release_has_the_platforms_whose_archives_are_there_with_their_checksums() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(&format!("kubectl-keyward_{VERSION}_linux_arm64.tar.gz"), "one");
    write(&format!("kubectl-keyward_{VERSION}_darwin_arm64.tar.gz"), "two");
    write("kubectl-keyward_v0.0.0_linux_amd64.tar.gz", "another release");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/krew/manifest.sh");
    let filled = text(&Command::new("bash").arg(script).arg(folder.path()).output().unwrap());
    let sha256 = |text: &str| keyward::domain::value::digest::sha256_hex(text.as_bytes());
    let expected = [("linux_arm64".to_owned(), sha256("one")), ("darwin_arm64".to_owned(), sha256("two"))];
    assert_eq!(platforms(&manifest(&filled)), expected);
    assert!(!filled.contains("No release is published yet"), "{filled}");
}
