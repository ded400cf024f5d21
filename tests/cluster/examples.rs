//! The examples work as they stand.

use std::path::Path;

use super::support::{Scene, text};

#[tokio::test]
async fn every_example_is_applied_and_becomes_ready() {
    let (scene, _controller) = Scene::with_controller("examples").await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    assert!(files.len() >= 3);
    for file in files {
        text(&scene.kubectl(&["apply", "--validate=strict", "-f", file.to_str().unwrap()]));
    }
    for kind in ["accounts.iam.keyward.dev", "kwsa", "kwkey"] {
        scene.kubectl_text(&["wait", "--for=condition=Ready", "--all", "--timeout=60s", kind]);
    }
}
