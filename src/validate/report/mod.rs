//! Findings in the forms that people and programs read.

pub mod github;
pub mod json;
pub mod sarif;
pub mod text;

#[cfg(test)]
mod tests;
