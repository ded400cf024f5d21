//! Circles in a graph of files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use super::tree::Tree;

/// A file that imports from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The file that imports.
    pub from: PathBuf,
    /// The first line that does, counted from 1.
    pub line: usize,
    /// The file that it imports from.
    pub to: PathBuf,
}

/// Files each of which leads to all the others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Circle {
    /// The files.
    pub files: BTreeSet<PathBuf>,
    /// What leads from one of them to another.
    pub edges: Vec<Edge>,
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a circle of {} files:", self.files.len())?;
        for Edge { from, line, to } in &self.edges {
            write!(f, "\n  {}:{line} imports from {}", from.display(), to.display())?;
        }
        Ok(())
    }
}

/// Which file imports from which, and the first line that does.
type Graph<'a> = BTreeMap<&'a Path, BTreeMap<&'a Path, usize>>;

/// The circles among the files of a crate.
pub(super) fn circles_of(tree: &Tree) -> BTreeSet<Circle> {
    let graph = graph(tree);
    let reached: BTreeMap<&Path, BTreeSet<&Path>> =
        graph.keys().map(|file| (*file, reached_from(file, &graph))).collect();
    let leads = |from: &Path, to: &Path| reached.get(from).is_some_and(|files| files.contains(to));
    let in_circle = graph.keys().filter(|file| leads(file, file));
    let circle = |file: &&Path| {
        let files: BTreeSet<&Path> =
            graph.keys().copied().filter(|other| leads(file, other) && leads(other, file)).collect();
        Circle { edges: edges_within(&files, &graph), files: files.into_iter().map(Path::to_owned).collect() }
    };
    in_circle.map(circle).collect()
}

fn graph(tree: &Tree) -> Graph<'_> {
    let mut graph = Graph::new();
    for (name, module) in &tree.modules {
        let from = module.file.as_path();
        if tree.facades.contains(from) {
            continue;
        }
        for import in &module.imports {
            let Some(to) = tree.file_of(name, import).filter(|to| *to != from) else { continue };
            let line = graph.entry(from).or_default().entry(to).or_insert(import.line);
            *line = import.line.min(*line);
        }
    }
    graph
}

/// Every file that a way leads to; the first one too, where it leads back.
fn reached_from<'a>(file: &Path, graph: &Graph<'a>) -> BTreeSet<&'a Path> {
    let next = |file: &Path| graph.get(file).into_iter().flat_map(BTreeMap::keys).copied();
    let mut open: Vec<&Path> = next(file).collect();
    let mut reached = BTreeSet::new();
    while let Some(file) = open.pop() {
        if reached.insert(file) {
            open.extend(next(file));
        }
    }
    reached
}

fn edges_within(files: &BTreeSet<&Path>, graph: &Graph<'_>) -> Vec<Edge> {
    let from = graph.iter().filter(|(from, _)| files.contains(*from));
    let edges = from.flat_map(|(from, edges)| edges.iter().map(|(to, line)| (*from, *line, *to)));
    let edges = edges.filter(|(_, _, to)| files.contains(to));
    edges.map(|(from, line, to)| Edge { from: from.into(), line, to: to.into() }).collect()
}
