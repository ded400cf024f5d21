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

use keyward::api::{crds, json_schema};
use keyward::reference;
use kube::ResourceExt;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run: make generate", path.display()))
}

/// The names of the files in a folder.
fn names(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).unwrap();
    sorted(entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()))
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn the_crds_are_those_of_the_types() {
    for crd in crds::all().unwrap() {
        let fresh = crds::document(&crd).unwrap();
        for folder in ["crds", "charts/keyward/files/crds"] {
            let path = format!("{folder}/{}.yaml", crd.name_any());
            assert!(read(&path) == fresh, "{path} is out of date; run: make generate");
        }
    }
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
    let documents = json_schema::documents().unwrap();
    for document in &documents {
        let path = format!("schemas/{}", document.name);
        assert!(read(&path) == document.text, "{path} is out of date; run: make generate");
    }
    assert_eq!(
        names("schemas"),
        sorted(documents.into_iter().map(|document| document.name)),
        "schemas holds one of nothing; run: make generate"
    );
}

#[test]
fn the_reference_pages_are_those_of_the_types() {
    let pages = reference::pages().unwrap();
    for page in &pages {
        let path = format!("docs/reference/{}", page.name);
        assert!(read(&path) == page.text, "{path} is out of date; run: make generate");
    }
    assert_eq!(
        names("docs/reference"),
        sorted(pages.into_iter().map(|page| page.name)),
        "docs/reference holds a page of nothing; run: make generate"
    );
}
