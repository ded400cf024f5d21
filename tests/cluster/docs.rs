//! Every shell block of the documentation, run in order of its page, as a reader would paste it.

use std::path::{Path, PathBuf};
use std::process::Command;

use futures::StreamExt as _;
use kube::config::Kubeconfig;

use super::reference::is_as_documented;
use super::support::{PATIENCE, Scene, Verifier, dev_dir};

/// Where a page finds its verifier, if it asks one.
const VERIFIER: &str = "KEYWARD_URL";
/// How many pages are read at once: they mostly wait.
const AT_ONCE: usize = 4;

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

/// Pastes a page's blocks one after the other.
fn paste(page: &Path, blocks: &[String], kubeconfig: &Path, url: &str) {
    for block in blocks {
        // Some blocks wait for something, without an end of their own.
        let mut shell = Command::new("timeout");
        shell
            .args([PATIENCE.as_secs().to_string().as_str(), "bash", "-euo", "pipefail", "-c", block])
            .env("KUBECONFIG", kubeconfig)
            .env(VERIFIER, url);
        // As for a reader who has installed both programs.
        shell.env("PATH", super::plugin::path());
        let output = shell.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}:\n{block}\n{errors}", page.display());
    }
}

async fn read(page: PathBuf) {
    let blocks = blocks(&std::fs::read_to_string(&page).unwrap());
    if blocks.is_empty() {
        return;
    }
    let name = format!("page-{}", page.file_stem().unwrap().to_string_lossy().to_lowercase());
    let (scene, controller) = Scene::with_controller(&name).await;
    let kubeconfig = kubeconfig(&scene);
    let asks = blocks.iter().any(|block| block.contains(VERIFIER));
    let verifier = if asks { Some(Verifier::start(&scene, &[]).await) } else { None };
    let url = match &verifier {
        Some(verifier) => format!("http://{}", verifier.address().await),
        None => String::new(),
    };
    tokio::task::spawn_blocking(move || paste(&page, &blocks, &kubeconfig, &url)).await.unwrap();
    is_as_documented(&scene, &controller, verifier.as_ref()).await;
}

/// Markdown files in and below a folder.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    let of_folders = folders.iter().flat_map(|folder| pages(folder));
    files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .chain(of_folders)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_works_by_copy_and_paste() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = pages(&root.join("docs"));
    pages.push(root.join("README.md"));
    pages.sort();
    assert!(pages.len() >= 20);
    futures::stream::iter(pages).map(read).buffer_unordered(AT_ONCE).collect::<()>().await;
}
