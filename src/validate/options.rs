//! What the check assumes.

/// How bad it is that something named is not among the manifests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum References {
    /// As bad as a mistake: all is among the manifests.
    Error,
    /// It may be in the cluster.
    #[default]
    Warning,
    /// It does not matter.
    Ignore,
}

/// What the check assumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The namespace of manifests that name none.
    pub namespace: String,
    /// How bad it is that something named is not among the manifests.
    pub references: References,
}

impl Default for Options {
    fn default() -> Self {
        Self { namespace: "default".to_owned(), references: References::default() }
    }
}
