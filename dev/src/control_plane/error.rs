//! Why a control plane can't be started or stopped.

use std::io;
use std::path::PathBuf;

use crate::assets;

/// Why a control plane can't be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its programs can't be had.
    #[error(transparent)]
    Assets(#[from] assets::Error),
    /// The search for its programs was cut short.
    #[error("the search for the programs was cut short: {0}")]
    Search(#[from] tokio::task::JoinError),
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
    /// A certificate can't be made.
    #[error("can't make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// No port is free on loopback.
    #[error("can't find a free port on 127.0.0.1: {0}")]
    Port(#[source] io::Error),
    /// A program can't be run.
    #[error("can't run {program}: {source}")]
    Run {
        /// The program.
        program: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A program can't be sent a signal.
    #[error("can't stop {program}: {source}")]
    Signal {
        /// The program.
        program: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A program ended though nobody stopped it.
    #[error("{program} ended ({how}); its last lines:\n{tail}")]
    Died {
        /// The program.
        program: &'static str,
        /// Its exit status or signal.
        how: String,
        /// The end of its log.
        tail: String,
    },
    /// A program runs but doesn't get ready.
    #[error("{program} was not ready after {seconds} seconds ({last}); its last lines:\n{tail}")]
    NotReady {
        /// The program.
        program: &'static str,
        /// How long it was given.
        seconds: u64,
        /// What it answered last.
        last: String,
        /// The end of its log.
        tail: String,
    },
    /// A kubeconfig's name is no file name.
    #[error("a kubeconfig's name is made of a-z, A-Z, 0-9, '-', '_' and '.', not {name:?}")]
    Name {
        /// The name that was asked for.
        name: String,
    },
}

impl Error {
    /// For `map_err` on what touches a file.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// Whether another process took a port between its choice and its use.
    pub(crate) fn is_port_clash(&self) -> bool {
        matches!(self, Self::Died { tail, .. } if tail.contains("address already in use"))
    }
}
