//! The health checker: says what kstatus, Argo CD and Flux make of objects, with the libraries that they use themselves.
//! Built with Go into the cache, once for each state of its sources.

use std::path::{Path, PathBuf};

use crate::assets::{Build, Error, Pins, Sources, Target, lock};

/// It is the only program of its module.
const PROGRAM: Target = Target { package: ".", built_name: "health", file_name: "health" };

/// Where the health checker lies.
#[derive(Clone, Debug)]
pub struct HealthChecker {
    folder: PathBuf,
}

impl HealthChecker {
    /// Finds it, and builds it where it is missing. This blocks for as long as the build takes, about a minute.
    ///
    /// # Errors
    /// When there is no Go that is new enough, or the build fails.
    pub fn ensure() -> Result<Self, Error> {
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("health");
        let pins = Pins::read_own(&module)?;
        let checker = Self { folder: Sources::from_env()?.health.join(pins.key()) };
        if !checker.path().is_file() {
            let _lock = lock::acquire(&checker.folder, "the health checker")?;
            if !checker.path().is_file() {
                let (cache, programs) = (checker.dir(), &[PROGRAM]);
                let (takes, remedy) = ("a minute", "install it");
                Build { module: &module, pins: &pins, programs, cache, takes, remedy }.run()?;
            }
        }
        Ok(checker)
    }

    /// The folder that holds it.
    pub fn dir(&self) -> &Path {
        &self.folder
    }

    /// The program. It reads a question as JSON from standard input and writes the answers to standard output;
    /// `health/main.go` has their form.
    pub fn path(&self) -> PathBuf {
        self.folder.join(PROGRAM.file_name)
    }
}
