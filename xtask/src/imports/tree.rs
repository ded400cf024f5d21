//! The modules of a crate, and what each of them names. Values only; they are filled in by `read`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A path in the source, such as `crate::api::Kind`, by its segments.
pub(super) type Names = Vec<String>;

/// A path that leads to another place.
#[derive(Clone, Debug)]
pub(super) struct Import {
    pub(super) path: Names,
    /// Counted from 1.
    pub(super) line: usize,
}

/// A module: a file, or a block within one.
#[derive(Debug, Default)]
pub(super) struct Module {
    pub(super) file: PathBuf,
    /// Names of what is defined here.
    pub(super) items: BTreeSet<String>,
    /// Names that `use` brings here, and what they stand for.
    pub(super) aliases: BTreeMap<String, Names>,
    /// Modules whose every name is brought here.
    pub(super) globs: Vec<Names>,
    pub(super) imports: Vec<Import>,
}

/// All modules of a crate, by their path from its root.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) modules: BTreeMap<Names, Module>,
    /// Files that only declare modules and re-export.
    pub(super) facades: BTreeSet<PathBuf>,
}
