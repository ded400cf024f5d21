//! Why a subcommand fails.

use std::io;

use keyward_dev::{assets, control_plane};

/// Why a subcommand failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    ControlPlane(#[from] control_plane::Error),
    #[error("can't run {program}: {source}")]
    Run { program: String, source: io::Error },
    #[error("can't stop the command: {0}")]
    Stop(#[source] io::Error),
    #[error("can't listen for signals: {0}")]
    Signals(#[source] io::Error),
    #[error("can't start: {0}")]
    Runtime(#[source] io::Error),
    #[error("can't write to standard output: {0}")]
    Output(#[source] io::Error),
    #[error("can't put the programs on PATH: {0}")]
    Path(#[from] std::env::JoinPathsError),
}

impl From<assets::Error> for Error {
    fn from(error: assets::Error) -> Self {
        Self::ControlPlane(error.into())
    }
}
