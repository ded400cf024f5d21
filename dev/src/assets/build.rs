//! Builds programs with Go: beside the cache first, and moved into it only when they are whole.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::say::say;

use super::Error;
use super::go::{self, Tail};
use super::pins::Pins;
use super::program::names;
use super::progress::{Counter, Display};
use super::target::Target;

/// A build of some programs; whoever runs it holds the lock of the cache.
pub(crate) struct Build<'a> {
    pub(crate) module: &'a Path,
    pub(crate) pins: &'a Pins,
    pub(crate) programs: &'a [Target],
    pub(crate) cache: &'a Path,
    /// How long it takes, as people say it.
    pub(crate) takes: &'a str,
    /// What to do where there is no Go.
    pub(crate) remedy: &'static str,
}

impl Build<'_> {
    pub(crate) fn run(&self) -> Result<(), Error> {
        let programs: Vec<&str> = self.programs.iter().map(|program| program.file_name).collect();
        let names = names(&programs);
        let go = go::check(self.module, &self.pins.go, &names, self.remedy)?;
        say(format_args!("Building {names} with Go {go}; this takes {}, once", self.takes));
        let counter = self.packages()?;
        // What a build that was killed has left; nobody else writes here while the lock is held.
        let building = self.cache.with_extension("building");
        remove_if_there(&building)?;
        self.compile(&building, counter)?;
        self.install(&building)?;
        remove_if_there(&building)
    }

    /// Every package that the programs are made of. Go fetches those that it does not have.
    fn packages(&self) -> Result<Counter, Error> {
        let _display = Display::spinner("Fetching the sources")?;
        let mut command = go::command(self.module);
        command.args(["list", "-deps"]).args(self.pins.flags()).args(self.go_packages());
        go::output(command, "go list").map(|packages| Counter::new(&packages))
    }

    fn compile(&self, building: &Path, mut counter: Counter) -> Result<(), Error> {
        let mut display = Display::counted("Compiling and linking", counter.total())?;
        let mut command = go::command(self.module);
        command.args(["build", "-v"]).args(self.pins.flags());
        // The slash at the end makes it a folder, also for a single program.
        command.arg("-o").arg(building.join("")).args(self.go_packages());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Error::RunGo)?;
        let tail = follow(&mut child, |line| {
            let known = counter.take(line);
            display.update(&counter);
            known
        })
        .map_err(Error::RunGo)?;
        let status = child.wait().map_err(Error::RunGo)?;
        drop(display);
        if status.success() {
            return Ok(());
        }
        Err(Error::GoFailed { command: "go build".into(), status: status.to_string(), tail })
    }

    fn install(&self, building: &Path) -> Result<(), Error> {
        fs::create_dir_all(self.cache).map_err(Error::file("create", self.cache))?;
        for program in self.programs {
            let target = self.cache.join(program.file_name);
            fs::rename(building.join(program.built_name), &target).map_err(Error::file("write", &target))?;
        }
        Ok(())
    }

    fn go_packages(&self) -> impl Iterator<Item = &'static OsStr> {
        self.programs.iter().map(|program| OsStr::new(program.package))
    }
}

/// Reads the command's standard error to its end; gives the last lines that are no progress.
fn follow(child: &mut Child, mut is_progress: impl FnMut(&str) -> bool) -> io::Result<String> {
    let mut tail = Tail::default();
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            if !is_progress(&line) {
                tail.push(&line);
            }
        }
    }
    Ok(tail.text())
}

/// Removes a folder, which need not be there.
pub(crate) fn remove_if_there(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(Error::file("remove", folder)),
    }
}
