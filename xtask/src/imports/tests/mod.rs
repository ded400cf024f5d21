//! Small crates, written out, and the circles in them.

mod circles;
mod paths;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::circle::{Circle, circles_of};
use super::read::read;

/// The circles of a crate, each as the edges in it.
fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let files: BTreeMap<&Path, &str> = files.iter().map(|(path, text)| (Path::new(*path), *text)).collect();
    let text = |path: &Path| files.get(path).map(ToString::to_string).ok_or(io::ErrorKind::NotFound.into());
    let edges =
        |circle: Circle| circle.to_string().lines().skip(1).map(|line| line.trim().to_owned()).collect();
    circles_of(&read(Path::new("src/lib.rs"), &text).unwrap()).into_iter().map(edges).collect()
}

const NONE: [Vec<String>; 0] = [];
