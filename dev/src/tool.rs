//! Programs that tests and `make lint` run, each out of a Go module of its own: built into the cache, once
//! for each state of that module.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::assets::{Build, Error, Pins, Sources, Target, lock};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tool {
    /// The linter of the workflows in `.github/`.
    Actionlint,
    /// The health checker: says what kstatus, Argo CD and Flux make of objects, with the libraries that they
    /// use themselves. It reads a question as JSON from standard input; `health/main.go` has its form.
    Health,
    /// Prometheus' own tool, which checks queries and alerts and tries them out.
    Promtool,
}

impl Tool {
    /// Those that tests run.
    pub const OF_TESTS: [Self; 2] = [Self::Health, Self::Promtool];

    /// The program's name, and that of its module's folder.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Actionlint => "actionlint",
            Self::Health => "health",
            Self::Promtool => "promtool",
        }
    }

    fn target(self) -> Target {
        let package = match self {
            Self::Actionlint => "github.com/rhysd/actionlint/cmd/actionlint",
            Self::Health => ".",
            Self::Promtool => "github.com/prometheus/prometheus/cmd/promtool",
        };
        Target { package, built_name: self.file_name(), file_name: self.file_name() }
    }

    /// Parts that are left out.
    fn tags(self) -> &'static str {
        match self {
            Self::Actionlint | Self::Health => "",
            // The many ways to find what to scrape: it scrapes nothing.
            Self::Promtool => "remove_all_sd",
        }
    }

    fn takes(self) -> &'static str {
        match self {
            Self::Actionlint => "half a minute",
            Self::Health => "a minute",
            Self::Promtool => "two minutes",
        }
    }

    /// The program, built where it is missing. This blocks for as long as the build takes.
    ///
    /// # Errors
    /// When there is no Go that is new enough, or the build fails.
    pub fn ensure(self) -> Result<PathBuf, Error> {
        let name = self.file_name();
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let pins = Pins::read_own(&module, self.tags())?;
        let cache = Sources::from_env()?.tools.join(name).join(pins.key());
        let path = cache.join(name);
        if !path.is_file() {
            let _lock = lock::acquire(&cache, name)?;
            if !path.is_file() {
                let (programs, takes, remedy) = (&[self.target()], self.takes(), "install it");
                Build { module: &module, pins: &pins, programs, cache: &cache, takes, remedy }.run()?;
            }
        }
        Ok(path)
    }
}
