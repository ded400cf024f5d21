//! The places where programs may lie, as the environment names them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Error;

/// The places where programs may lie, and the Go module that builds those that lie nowhere.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    /// The folder that `KUBEBUILDER_ASSETS` names.
    pub(crate) given: Option<PathBuf>,
    /// The folder that holds one folder for each set of versions.
    pub(crate) cache: PathBuf,
    /// The same for gateways.
    pub(crate) gateways: PathBuf,
    /// The same for tools.
    pub(crate) tools: PathBuf,
    /// The folder with go.mod and go.sum.
    pub(crate) module: PathBuf,
}

impl Sources {
    /// Reads the environment.
    ///
    /// # Errors
    /// When it names no home and no cache folder.
    pub(crate) fn from_env() -> Result<Self, Error> {
        Self::from_vars(|name| std::env::var_os(name))
    }

    pub(crate) fn from_vars(var: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let path = |name| var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = path("XDG_CACHE_HOME")
            .filter(|cache| cache.is_absolute())
            .or_else(|| path("HOME").map(|home| home.join(".cache")))
            .ok_or(Error::NoCacheFolder)?;
        Ok(Self {
            given: path("KUBEBUILDER_ASSETS"),
            cache: cache.join("keyward").join("control-plane"),
            gateways: cache.join("keyward").join("gateways"),
            tools: cache.join("keyward").join("tools"),
            module: Path::new(env!("CARGO_MANIFEST_DIR")).join("control-plane"),
        })
    }
}
