//! From a text to documents, as kubectl reads them, with the position of everything in them.

mod build;
mod document;
mod read;
mod scalar;

pub use document::{Document, Problem, ProblemKind};
pub use read::read;

#[cfg(test)]
mod tests;
