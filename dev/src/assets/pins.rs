//! What go.mod pins: the versions, and the key under which their build is kept.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Error;
use super::go::{GoVersion, oldest, word_after};

const NO_GO_LINE: &str = "go line";

/// What the linker is told of every program: no symbols.
const STRIPPED: &str = "-s -w";

/// What a Go module asks for.
#[derive(Clone, Debug)]
pub(crate) struct Pins {
    /// The `go` line: the oldest Go that will do.
    pub(crate) go: GoVersion,
    flags: Vec<String>,
    key: String,
}

impl Pins {
    /// Reads go.mod and go.sum of the control plane, in the folder `module`.
    pub(crate) fn read(module: &Path) -> Result<Self, Error> {
        let [go_mod, go_sum] = go_files(module)?;
        Self::new(&go_mod, &go_sum).map_err(lacking(module))
    }

    /// Reads a module in the folder `module` that has one program, and the source files there, if any. `tags`
    /// are those of the build.
    pub(crate) fn read_own(module: &Path, tags: &str) -> Result<Self, Error> {
        let [go_mod, go_sum] = go_files(module)?;
        let go = oldest(&go_mod).ok_or(NO_GO_LINE).map_err(lacking(module))?;
        let flags = [flags(STRIPPED.into()), vec!["-tags".into(), tags.into()]].concat();
        Ok(Self { go, key: cache_key([&go_mod, &go_sum], &flags, &sources(module)?), flags })
    }

    /// The error is what go.mod lacks.
    pub(crate) fn new(go_mod: &str, go_sum: &str) -> Result<Self, &'static str> {
        let go = oldest(go_mod).ok_or(NO_GO_LINE)?;
        let kubernetes = word_after(go_mod, "k8s.io/kubernetes").ok_or("version of k8s.io/kubernetes")?;
        let ldflags = ldflags(kubernetes).ok_or("version of k8s.io/kubernetes like v1.2.3")?;
        let flags = flags(ldflags);
        Ok(Self { go, key: cache_key([go_mod, go_sum], &flags, &[]), flags })
    }

    /// The flags of `go build`, beside where its output goes.
    pub(crate) fn flags(&self) -> &[String] {
        &self.flags
    }

    /// The name of the folder in the cache: another one whenever a build would give other programs.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }
}

fn flags(ldflags: String) -> Vec<String> {
    vec!["-trimpath".into(), "-buildvcs=false".into(), "-ldflags".into(), ldflags]
}

/// go.mod and go.sum in the folder `module`.
fn go_files(module: &Path) -> Result<[String; 2], Error> {
    Ok([read(&module.join("go.mod"))?, read(&module.join("go.sum"))?])
}

/// Every file of Go in the folder `module`, by name.
fn sources(module: &Path) -> Result<Vec<String>, Error> {
    let entries = std::fs::read_dir(module).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(Error::file("read", module))?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "go"));
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(Error::file("read", path))
}

fn lacking(module: &Path) -> impl FnOnce(&'static str) -> Error {
    let path = module.join("go.mod");
    move |what| Error::GoMod { path, what }
}

/// Kubernetes takes its own version from the linker; without it the API server calls itself v0.0.0.
fn ldflags(kubernetes: &str) -> Option<String> {
    let (major, rest) = kubernetes.strip_prefix('v')?.split_once('.')?;
    let (minor, _patch) = rest.split_once('.')?;
    let values = [("gitVersion", kubernetes), ("gitMajor", major), ("gitMinor", minor)];
    let versions = values.map(|(name, value)| format!(" -X k8s.io/component-base/version.{name}={value}"));
    Some(format!("{STRIPPED}{}", versions.concat()))
}

fn cache_key(pinned: [&str; 2], flags: &[String], sources: &[String]) -> String {
    let flags = flags.join("\n");
    let given = pinned.into_iter().chain([flags.as_str()]);
    key_of(&given.chain(sources.iter().map(String::as_str)).collect::<Vec<_>>())
}

/// The name of a folder in the cache for what comes of these texts on this kind of machine.
pub(crate) fn key_of(parts: &[&str]) -> String {
    let machine = [std::env::consts::OS, std::env::consts::ARCH];
    let mut hash = Sha256::new();
    for part in parts.iter().chain(&machine) {
        // The length keeps two different splits of the same bytes apart.
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let bytes: Vec<String> = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    bytes.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO_MOD: &str =
        "// go 9.9\nmodule m\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubernetes v1.37.2 // indirect\n)\n";

    #[test]
    fn reads_the_versions_out_of_go_mod() {
        let pins = Pins::new(GO_MOD, "").unwrap();
        assert_eq!(pins.go, GoVersion::parse("1.26.0").unwrap());
        let ldflags = pins.flags().last().unwrap();
        assert!(
            ldflags.starts_with("-s -w -X k8s.io/component-base/version.gitVersion=v1.37.2 "),
            "{ldflags}"
        );
        assert!(ldflags.ends_with("version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=37"));
    }

    #[test]
    fn says_what_go_mod_lacks() {
        assert_eq!(Pins::new("module m\n", "").unwrap_err(), "go line");
        assert_eq!(Pins::new("go 1.26\n", "").unwrap_err(), "version of k8s.io/kubernetes");
    }

    #[test]
    fn a_single_require_line_is_read_too() {
        assert_eq!(word_after("require k8s.io/kubernetes v1.2.3\n", "k8s.io/kubernetes"), Some("v1.2.3"));
    }

    #[test]
    fn the_key_follows_every_input() {
        let key = |go_mod: &str, go_sum: &str| Pins::new(go_mod, go_sum).unwrap().key().to_owned();
        let base = key(GO_MOD, "a");
        assert_eq!(base.len(), 12);
        assert_eq!(base, key(GO_MOD, "a"));
        assert_ne!(base, key(GO_MOD, "b"));
        assert_ne!(base, key(&GO_MOD.replace("1.37.2", "1.37.3"), "a"));
        assert_ne!(cache_key(["a", "b"], &[], &[]), cache_key(["ab", ""], &[], &[]));
        assert_ne!(cache_key(["a", "b"], &[], &["main".into()]), cache_key(["a", "b"], &[], &[]));
    }
}
