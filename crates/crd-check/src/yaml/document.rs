//! What a text turns out to hold.

use crate::node::{Node, Region};

/// A document of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Which one of the file, counted from 1.
    pub number: usize,
    /// What it holds.
    pub root: Node,
}

/// Something that is wrong with the text itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The document it is in, counted from 1.
    pub document: usize,
    /// Where.
    pub region: Region,
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// What is wrong, as a sentence. It never holds a value of the document.
    pub message: String,
}

/// Kinds of [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// It is not YAML, so nothing of the document is known.
    Syntax,
    /// It is not YAML, and the text has `{{`: it looks like a template that was not rendered.
    Template,
    /// A key occurs twice in one map.
    DuplicateKey,
}
