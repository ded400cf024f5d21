//! Every shell block of the documentation, run in order, page by page, as a reader would paste it.

use std::path::{Path, PathBuf};
use std::process::Command;

use kube::config::Kubeconfig;

use super::support::{Scene, Verifier, dev_dir};

/// Where a page finds its verifier, if it asks one.
const VERIFIER: &str = "KEYWARD_URL";

/// The ```` ```sh ```` blocks of a page; other blocks are for places that a test cannot be in.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "```sh" {
            let indent = line.len() - line.trim_start().len();
            let block = lines.by_ref().take_while(|line| line.trim() != "```");
            blocks.push(
                block.map(|line| line.get(indent..).unwrap_or_default()).collect::<Vec<_>>().join("\n"),
            );
        }
    }
    blocks
}

/// A kubeconfig whose namespace is the scene's.
fn kubeconfig(scene: &Scene) -> PathBuf {
    let mut config = Kubeconfig::read_from(std::env::var("KUBECONFIG").unwrap()).unwrap();
    for named in &mut config.contexts {
        named.context.as_mut().unwrap().namespace = Some(scene.namespace.clone());
    }
    let path = dev_dir().join(format!("{}.reader.kubeconfig", scene.namespace));
    std::fs::write(&path, serde_json::to_string(&config).unwrap()).unwrap();
    path
}

/// As for a reader who has installed `keyward`.
fn path_with_keyward() -> std::ffi::OsString {
    let folder = Path::new(env!("CARGO_BIN_EXE_keyward")).parent().unwrap().to_owned();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([folder].into_iter().chain(std::env::split_paths(&rest))).unwrap()
}

async fn read(name: &str, page: &Path) {
    let blocks = blocks(&std::fs::read_to_string(page).unwrap());
    if blocks.is_empty() {
        return;
    }
    let (scene, _controller) = Scene::with_controller(name).await;
    let kubeconfig = kubeconfig(&scene);
    let asks = blocks.iter().any(|block| block.contains(VERIFIER));
    let verifier = if asks { Some(Verifier::start(&scene, &[]).await) } else { None };
    let url = match &verifier {
        Some(verifier) => format!("http://{}", verifier.address().await),
        None => String::new(),
    };
    for block in blocks {
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", &block]).env("KUBECONFIG", &kubeconfig).env(VERIFIER, &url);
        shell.env("PATH", path_with_keyward());
        let output = shell.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}:\n{block}\n{errors}", page.display());
    }
}

#[tokio::test]
async fn the_readme_works_by_copy_and_paste() {
    read("readme", &Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).await;
}

#[tokio::test]
async fn every_page_works_by_copy_and_paste() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let pages = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> =
        pages.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    pages.sort();
    assert!(pages.len() >= 5);
    for page in pages {
        let name = format!("page-{}", page.file_stem().unwrap().to_string_lossy());
        read(&name, &page).await;
    }
}
