//! Comments keep to the width that rustfmt gives code. It could check them itself only as a nightly build.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// The width in `rustfmt.toml`, in characters.
fn width(top: &Path) -> usize {
    let settings = fs::read_to_string(top.join("rustfmt.toml")).unwrap();
    settings.lines().find_map(|line| line.strip_prefix("max_width = ")).unwrap().parse().unwrap()
}

/// Every Rust file below `folder`, without what is built and what is hidden.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            if name != "target" && !name.to_string_lossy().starts_with('.') {
                found.extend(sources(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The lines of `source` that are comments and wider than `width` characters, counted from 1.
fn too_wide(source: &str, width: usize) -> Vec<usize> {
    let comment = |line: &str| line.trim_start().starts_with("//");
    let lines = source.lines().zip(1..);
    lines
        .filter(|(line, _)| comment(line) && line.chars().count() > width)
        .map(|(_, number)| number)
        .collect()
}

#[test]
fn no_comment_is_wider_than_code() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (width, sources) = (width(top), sources(top));
    assert!(sources.contains(&top.join("src/lib.rs")), "{sources:?}");
    let mut found = Vec::new();
    for file in &sources {
        let lines = too_wide(&fs::read_to_string(file).unwrap(), width);
        found.extend(lines.iter().map(|line| format!("{}:{line}", file.display())));
    }
    assert!(found.is_empty(), "wider than {width} characters:\n{}", found.join("\n"));
}

#[test]
fn characters_of_comments_are_counted_and_code_is_left_to_rustfmt() {
    let source = "// ──►\n// ───►\n    /// 34\nlet long = 1;\n//! 345\n";
    assert_eq!(too_wide(source, 6), [2, 3, 5]);
}
