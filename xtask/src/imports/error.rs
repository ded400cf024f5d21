//! Why imports cannot be checked.

use std::io;
use std::path::PathBuf;

/// Why imports cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `cargo metadata` cannot be run.
    #[error("cargo metadata")]
    Cargo(#[source] io::Error),
    /// `cargo metadata` refused, and said so on standard error.
    #[error("cargo metadata: {0}")]
    Metadata(String),
    /// What `cargo metadata` printed cannot be read.
    #[error("what cargo metadata printed")]
    Json(#[from] serde_json::Error),
    /// A file cannot be read.
    #[error("{}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not Rust.
    #[error("{}", path.display())]
    Syntax {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: syn::Error,
    },
    /// A module is declared, and none of the files that may hold it is there.
    #[error("{}:{line}: there is no file for the module {name}", path.display())]
    NoModule {
        /// The file that declares it.
        path: PathBuf,
        /// The line that does.
        line: usize,
        /// The module's name.
        name: String,
    },
}
