//! A file as it is generated.

/// A file of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it stands, from the top of the repository.
    pub path: String,
    /// What it holds.
    pub text: String,
}
