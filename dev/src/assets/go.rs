//! The Go toolchain: which one there is, and the environment in which it builds.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Error;

/// How many of Go's own lines an error shows.
const TAIL_LINES: usize = 20;

/// A Go version; a release candidate counts as its release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GoVersion([u32; 3]);

impl GoVersion {
    /// Reads `1.26`, `1.26.8`, `go1.26.8`, `go1.27rc1` or `go1.27-devel_0123abc`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("go").unwrap_or(text).split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = leading_number(parts.next()?)?;
        let patch = parts.next().and_then(leading_number).unwrap_or(0);
        Some(Self([major, minor, patch]))
    }

    /// Reads what `go version` prints.
    fn from_output(output: &str) -> Option<Self> {
        output.split_whitespace().filter(|word| word.starts_with("go1.")).find_map(Self::parse)
    }
}

impl fmt::Display for GoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        if patch == 0 { write!(f, "{major}.{minor}") } else { write!(f, "{major}.{minor}.{patch}") }
    }
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// A `go` command in the folder `module`, shielded from what a user's environment may ask of other builds.
pub(crate) fn command(module: &Path) -> Command {
    let mut command = Command::new("go");
    command
        .current_dir(module)
        .env("CGO_ENABLED", "0")
        .env("GO111MODULE", "on")
        .env("GOFLAGS", "-mod=readonly")
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off")
        .env_remove("GOOS")
        .env_remove("GOARCH");
    command
}

/// The version of the Go on `PATH`, when it is `needed` or newer; `remedy` is what to do otherwise.
pub(crate) fn check(
    module: &Path,
    needed: &GoVersion,
    programs: &str,
    remedy: &'static str,
) -> Result<GoVersion, Error> {
    let too_old = |found: String| Error::Go {
        needed: needed.to_string(),
        found,
        programs: programs.to_owned(),
        remedy,
    };
    let output = match command(module).arg("version").output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(too_old("no Go".into())),
        other => other.map_err(Error::RunGo)?,
    };
    let text = String::from_utf8_lossy(&output.stdout);
    match GoVersion::from_output(&text) {
        Some(found) if found >= *needed => Ok(found),
        Some(found) => Err(too_old(format!("Go {found}"))),
        None => Err(Error::GoFailed {
            command: "go version".into(),
            status: output.status.to_string(),
            tail: format!("{text}{}", String::from_utf8_lossy(&output.stderr)),
        }),
    }
}

/// The `go` line of a go.mod: the oldest Go that will do.
pub(crate) fn oldest(go_mod: &str) -> Option<GoVersion> {
    word_after(go_mod, "go").and_then(GoVersion::parse)
}

/// The second word of the first line that starts with the word `first`.
pub(crate) fn word_after<'a>(text: &'a str, first: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let mut words = line.trim_start().trim_start_matches("require ").split_whitespace();
        if words.next()? == first { words.next() } else { None }
    })
}

/// Runs a Go command to its end and gives its standard output.
pub(crate) fn output(mut command: Command, name: &str) -> Result<String, Error> {
    let output = command.stdin(Stdio::null()).output().map_err(Error::RunGo)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let mut tail = Tail::default();
    String::from_utf8_lossy(&output.stderr).lines().for_each(|line| tail.push(line));
    Err(Error::GoFailed { command: name.to_owned(), status: output.status.to_string(), tail: tail.text() })
}

/// The last lines of what a command wrote.
#[derive(Default)]
pub(crate) struct Tail(VecDeque<String>);

impl Tail {
    pub(crate) fn push(&mut self, line: &str) {
        if self.0.len() == TAIL_LINES {
            self.0.pop_front();
        }
        self.0.push_back(line.to_owned());
    }

    pub(crate) fn text(self) -> String {
        Vec::from(self.0).join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_version_prints() {
        let read = |text| GoVersion::from_output(text).map(|version| version.0);
        assert_eq!(read("go version go1.26.8 linux/amd64\n"), Some([1, 26, 8]));
        assert_eq!(read("go version go1.27rc1 darwin/arm64"), Some([1, 27, 0]));
        assert_eq!(read("go version devel go1.27-0123abc Mon Jan 1 linux/amd64"), Some([1, 27, 0]));
        assert_eq!(read("go version go1.27-devel_0123abc linux/amd64"), Some([1, 27, 0]));
        assert_eq!(read("command not found"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn versions_compare_as_numbers() {
        let version = |text| GoVersion::parse(text).unwrap();
        assert!(version("1.9") < version("1.26.0"));
        assert!(version("1.26.0") == version("1.26"));
        assert!(version("1.26.8") > version("1.26"));
        assert!(version("go2.0") > version("1.26"));
        assert_eq!(GoVersion::parse("one.two"), None);
        assert_eq!(GoVersion::parse("1"), None);
    }

    #[test]
    fn a_version_reads_as_people_write_it() {
        assert_eq!(GoVersion::parse("1.26.0").unwrap().to_string(), "1.26");
        assert_eq!(GoVersion::parse("1.26.8").unwrap().to_string(), "1.26.8");
    }

    #[test]
    fn the_tail_keeps_the_last_lines() {
        let mut tail = Tail::default();
        (0..30).for_each(|number| tail.push(&number.to_string()));
        let text = tail.text();
        assert!(text.starts_with("10\n") && text.ends_with("\n29"), "{text}");
    }
}
