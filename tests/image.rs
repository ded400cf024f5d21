//! The image: what its parts say about each other, and what is put together without a container engine.
//! Building the program for it takes minutes and is `make image-again`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use keyward::domain::value::digest::sha256_hex;
use serde_json::{Value, json};

const DOCKERFILE: &str = include_str!("../Dockerfile");
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The default of an argument of the Dockerfile.
fn argument(name: &str) -> &'static str {
    let lines = DOCKERFILE.lines().filter_map(|line| line.strip_prefix("ARG "));
    lines.filter_map(|line| line.split_once('=')).find(|(found, _)| *found == name).unwrap().1
}

/// Puts an image together of a program that is none, and unpacks it.
struct Image {
    folder: tempfile::TempDir,
    bytes: Vec<u8>,
}

impl Image {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("made");
        std::fs::create_dir(&made).unwrap();
        std::fs::write(made.join("keyward"), "the program").unwrap();
        std::fs::write(made.join("keyward.cdx.json"), "{}").unwrap();
        let archive = folder.path().join("image.tar");
        let mut command = Command::new("python3");
        command.arg(root().join("image/assemble.py")).arg(&made).arg(&archive).arg("REVISION=abc");
        run(command.env("SOURCE_DATE_EPOCH", "1700000000"));
        run(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(folder.path()));
        Self { bytes: std::fs::read(&archive).unwrap(), folder }
    }

    /// What an entry of the layout points to, once its digest and size are found to be right.
    fn blob(&self, entry: &Value) -> (PathBuf, Vec<u8>) {
        let digest = entry["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
        let path = self.folder.path().join("blobs/sha256").join(digest);
        let content = std::fs::read(&path).unwrap();
        assert_eq!(sha256_hex(&content), digest);
        assert_eq!(entry["size"], content.len());
        (path, content)
    }

    fn document(&self, entry: &Value) -> Value {
        serde_json::from_slice(&self.blob(entry).1).unwrap()
    }

    fn manifest(&self) -> Value {
        let index: Value =
            serde_json::from_slice(&std::fs::read(self.folder.path().join("index.json")).unwrap()).unwrap();
        assert_eq!(index["manifests"].as_array().unwrap().len(), 1);
        self.document(&index["manifests"][0])
    }
}

#[test]
fn the_image_has_the_version_of_the_program_and_is_built_with_the_oldest_rust_that_will_do() {
    assert_eq!(argument("VERSION"), VERSION);
    assert_eq!(argument("RUST_VERSION"), format!("{}.0", env!("CARGO_PKG_RUST_VERSION")));
    let (tag, digest) = argument("RUST_IMAGE").split_once("@sha256:").unwrap();
    assert_eq!(tag, "rust:${RUST_VERSION}-slim-bookworm");
    assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{digest}");
    let stages: Vec<&str> = DOCKERFILE.lines().filter(|line| line.starts_with("FROM ")).collect();
    assert_eq!(stages, ["FROM ${RUST_IMAGE} AS build", "FROM scratch"]);
}

#[test]
fn the_image_says_what_it_is_and_runs_as_the_chart_has_it() {
    let image = Image::new();
    let manifest = image.manifest();
    let described = image.document(&manifest["config"]);
    let config = &described["config"];
    let labels: BTreeMap<String, String> = serde_json::from_value(config["Labels"].clone()).unwrap();
    let label = |name: &str| labels[&format!("org.opencontainers.image.{name}")].as_str();
    assert_eq!((label("title"), label("version"), label("revision")), ("keyward", VERSION, "abc"));
    assert_eq!(label("licenses"), env!("CARGO_PKG_LICENSE"));
    for name in ["source", "url", "documentation"] {
        assert!(label(name).starts_with(env!("CARGO_PKG_REPOSITORY")), "{name}");
    }
    assert_eq!(manifest["annotations"], config["Labels"]);
    assert_eq!(described["created"], "2023-11-14T22:13:20Z");

    let values: Value = serde_yaml::from_str(include_str!("../charts/keyward/values.yaml")).unwrap();
    assert_eq!(config["User"], format!("{}:{}", values["runAsUser"], values["runAsGroup"]));
    let ports = [&values["metrics"]["port"], &values["verifier"]["service"]["port"]];
    let exposed = ports.map(|port| (format!("{port}/tcp"), json!({})));
    assert_eq!(config["ExposedPorts"], Value::Object(exposed.into_iter().collect()));
    assert_eq!(config["Entrypoint"], json!(["/usr/local/bin/keyward"]));
}

#[test]
fn the_image_holds_the_program_what_is_in_it_and_its_licence_and_nothing_else() {
    let image = Image::new();
    let manifest = image.manifest();
    let (layer, _) = image.blob(&manifest["layers"][0]);
    let listed = run(Command::new("tar").args(["--numeric-owner", "--utc", "-tvzf"]).arg(&layer));
    let listed: Vec<String> =
        listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let files: Vec<&String> = listed.iter().filter(|line| !line.starts_with('d')).collect();
    let licence = std::fs::metadata(root().join("LICENSE")).unwrap().len();
    assert_eq!(
        files,
        [
            "-rwxr-xr-x 0/0 11 2023-11-14 22:13 usr/local/bin/keyward",
            &format!("-rw-r--r-- 0/0 {licence} 2023-11-14 22:13 usr/share/doc/keyward/LICENSE"),
            "-rw-r--r-- 0/0 2 2023-11-14 22:13 usr/share/doc/keyward/keyward.cdx.json",
        ]
    );
    let unpacked = Command::new("gzip").args(["-dc"]).arg(&layer).output().unwrap().stdout;
    let described = image.document(&manifest["config"]);
    assert_eq!(described["rootfs"]["diff_ids"], json!([format!("sha256:{}", sha256_hex(&unpacked))]));
}

#[test]
fn the_same_program_gives_the_same_image() {
    let (one, two) = (Image::new(), Image::new());
    assert!(one.bytes == two.bytes);
}

#[test]
fn whatever_the_program_is_built_from_gets_to_the_engine_that_builds_it() {
    let ignored = include_str!("../.dockerignore");
    let sent: Vec<PathBuf> =
        ignored.lines().filter_map(|line| line.strip_prefix('!')).map(|path| root().join(path)).collect();
    assert!(ignored.lines().any(|line| line == "*"), "and nothing else, so no secret does");
    assert!(sent.iter().all(|path| path.exists()), "{sent:?}");
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(root());
    let metadata: Value = serde_json::from_str(&run(&mut command)).unwrap();
    let mut needed = vec![root().join("Cargo.lock"), root().join("LICENSE"), root().join("image/build.sh")];
    for package in metadata["packages"].as_array().unwrap() {
        needed.push(package["manifest_path"].as_str().unwrap().into());
        let targets = package["targets"].as_array().unwrap().iter();
        // Cargo finds tests by itself; those that are written down must be there.
        let built = targets.filter(|target| target["kind"] != json!(["test"]));
        needed.extend(built.map(|target| PathBuf::from(target["src_path"].as_str().unwrap())));
    }
    let included = run(Command::new("grep")
        .args(["-rhoE", r#"include_(str|bytes)!\("[^"]+"\)"#, "src"])
        .current_dir(root()));
    let included = included.lines().filter_map(|line| line.split('"').nth(1));
    // Whatever leads out of src.
    let outside = included.filter_map(|path| path.rsplit_once("../")).map(|(_, path)| root().join(path));
    needed.extend(outside.filter(|path| path.exists()));
    for path in needed {
        assert!(sent.iter().any(|sent| path.starts_with(sent)), "{} is not sent", path.display());
    }
}
