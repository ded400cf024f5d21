//! The check of a whole workspace.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::circle::{Circle, circles_of};
use super::error::Error;
use super::{read, workspace};

/// Every circle in the workspace at that folder. Paths are from there.
///
/// # Errors
/// When cargo does not tell the crates, or a file cannot be read.
pub fn circles(workspace: &Path) -> Result<Vec<Circle>, Error> {
    // The same file may be part of several crates.
    let mut circles = BTreeSet::new();
    for root in workspace::roots(workspace)? {
        let tree = read::read(&root, &|file| fs::read_to_string(workspace.join(file)))?;
        circles.extend(circles_of(&tree));
    }
    Ok(circles.into_iter().collect())
}
