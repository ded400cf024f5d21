//! Finds the programs that a control plane is made of: in `KUBEBUILDER_ASSETS`, then in the cache; what
//! neither holds is built with Go into the cache, once, and only when somebody needs it.

mod build;
mod error;
pub(crate) mod go;
pub(crate) mod lock;
mod pins;
mod program;
mod progress;
mod sources;
mod target;

use std::path::{Path, PathBuf};

pub(crate) use build::{Build, remove_if_there};
pub(crate) use pins::{Pins, key_of};
pub(crate) use program::names;

pub use error::Error;
pub use program::Program;
pub(crate) use sources::Sources;
pub(crate) use target::Target;

/// Where each program of the control plane lies.
#[derive(Clone, Debug)]
pub struct Assets {
    given: Option<PathBuf>,
    cache: PathBuf,
}

impl Assets {
    /// Finds `programs` where the environment says, and builds those of them that are missing.
    ///
    /// This blocks, for minutes where programs must be built, and shows its progress on standard error.
    ///
    /// # Errors
    /// When `KUBEBUILDER_ASSETS` names no folder with programs, or a program is missing and can't be built.
    pub fn ensure(programs: &[Program]) -> Result<Self, Error> {
        Self::ensure_from(Sources::from_env()?, programs)
    }

    /// Finds `programs` in `sources`, and builds those that are missing.
    ///
    /// # Errors
    /// When the given folder holds no program, or a program is missing and can't be built.
    pub(crate) fn ensure_from(sources: Sources, programs: &[Program]) -> Result<Self, Error> {
        let pins = Pins::read(&sources.module)?;
        let assets = Self { cache: sources.cache.join(pins.key()), given: sources.given };
        assets.check_given()?;
        if !assets.missing(programs).is_empty() {
            assets.build_missing(&sources.module, &pins, programs)?;
        }
        Ok(assets)
    }

    /// The path of a program.
    pub fn path(&self, program: Program) -> PathBuf {
        self.in_given(program).unwrap_or_else(|| self.cache.join(program.file_name()))
    }

    /// The folder with the API server.
    pub fn dir(&self) -> &Path {
        match &self.given {
            Some(given) if self.in_given(Program::ApiServer).is_some() => given,
            _ => &self.cache,
        }
    }

    /// Every folder that holds one of the programs: two where `KUBEBUILDER_ASSETS` holds only some of them.
    pub fn dirs(&self) -> Vec<&Path> {
        let mut dirs = vec![self.dir()];
        if Program::ALL.iter().any(|program| self.in_given(*program).is_none()) && self.dir() != self.cache {
            dirs.push(&self.cache);
        }
        dirs
    }

    fn in_given(&self, program: Program) -> Option<PathBuf> {
        let path = self.given.as_ref()?.join(program.file_name());
        path.is_file().then_some(path)
    }

    /// A folder without an API server is far more likely a mistake than a wish to build one.
    fn check_given(&self) -> Result<(), Error> {
        match &self.given {
            Some(given) if self.in_given(Program::ApiServer).is_none() => {
                Err(Error::NotAssets { folder: given.clone() })
            }
            _ => Ok(()),
        }
    }

    fn missing(&self, programs: &[Program]) -> Vec<Program> {
        programs.iter().copied().filter(|program| !self.path(*program).is_file()).collect()
    }

    fn build_missing(&self, module: &Path, pins: &Pins, programs: &[Program]) -> Result<(), Error> {
        let _lock = lock::acquire(&self.cache, "the control plane")?;
        // Another process may have built them while this one waited for the lock.
        let missing = self.missing(programs);
        if missing.is_empty() {
            return Ok(());
        }
        let programs: Vec<Target> = missing.into_iter().map(Program::target).collect();
        let remedy = "install it or set KUBEBUILDER_ASSETS to a folder with these programs";
        Build { module, pins, programs: &programs, cache: &self.cache, takes: "minutes", remedy }.run()
    }
}

#[cfg(test)]
mod tests;
