//! No file of the workspace imports, by way of others, from itself.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use xtask::imports::circles;

#[test]
fn no_files_import_from_each_other() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let circles: Vec<String> = circles(top).unwrap().iter().map(ToString::to_string).collect();
    assert!(circles.is_empty(), "\n{}", circles.join("\n"));
}
