//! What is generated is up to date: `make generate` writes it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::default_trait_access,
    clippy::large_futures,
    reason = "a test fails by panicking, and its cases stand in one place"
)]

use std::path::Path;

use keyward::api::crds;
use kube::ResourceExt;
use xtask::file::File;
use xtask::generated::{FOLDERS, files};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What is generated into a folder is what is there, and nothing else is.
fn is_up_to_date(folder: &str) {
    let prefix = format!("{folder}/");
    let mut fresh = files().unwrap();
    fresh.retain(|file| file.path.starts_with(&prefix));
    for File { path, text } in &fresh {
        let there = std::fs::read_to_string(root().join(path));
        let there = there.unwrap_or_else(|error| panic!("{path}: {error}; run: make generate"));
        assert!(there == *text, "{path} is out of date; run: make generate");
    }
    let names = std::fs::read_dir(root().join(folder)).unwrap();
    let names = names.map(|entry| prefix.clone() + entry.unwrap().file_name().to_str().unwrap());
    assert_eq!(
        sorted(names),
        sorted(fresh.into_iter().map(|file| file.path)),
        "{folder} holds a file of nothing; run: make generate"
    );
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn the_crds_are_those_of_the_types() {
    is_up_to_date("crds");
    is_up_to_date("charts/keyward/files/crds");
}

#[test]
fn no_kind_shows_a_column_twice() {
    for crd in crds::all().unwrap() {
        for version in &crd.spec.versions {
            let columns = version.additional_printer_columns.iter().flatten();
            let mut names: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
            names.sort_unstable();
            assert!(names.is_sorted_by(|a, b| a < b), "{}: {names:?}", crd.name_any());
        }
    }
}

#[test]
fn the_json_schemas_are_those_of_the_types() {
    is_up_to_date("schemas");
}

#[test]
fn the_reference_pages_are_those_of_the_types() {
    is_up_to_date("docs/reference");
}

#[test]
fn every_folder_of_generated_files_is_looked_at() {
    assert_eq!(FOLDERS, ["crds", "charts/keyward/files/crds", "schemas", "docs/reference"]);
}
