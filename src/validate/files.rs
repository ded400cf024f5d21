//! Files: which ones are meant, and what they hold. The only part that reads them.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

/// The name of standard input, as findings show it.
const STDIN: &str = "stdin";
/// How a file in a folder must end.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// A file with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, as findings show it.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was named, and nothing comes by itself.
    #[error(
        "name files or folders to check, or pipe manifests in, as in: kustomize build | keyward validate -"
    )]
    Nothing,
    /// A file or folder cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not a text.
    #[error("{}: it is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
}

/// Reads files, and those in folders and their folders that end as manifests do; `-` is standard input.
/// Hidden ones in folders are left out. Nothing named means standard input, unless that is a terminal.
///
/// # Errors
/// When one cannot be read.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<File>, Error> {
    if paths.is_empty() {
        return if io::stdin().is_terminal() { Err(Error::Nothing) } else { Ok(vec![standard_input()?]) };
    }
    let mut files: Vec<File> = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            files.push(standard_input()?);
            continue;
        }
        for path in within(path)? {
            let name = path.to_string_lossy().into_owned();
            // The same file may be named beside its folder.
            if !files.iter().any(|file| file.name == name) {
                files.push(file(&path, name)?);
            }
        }
    }
    Ok(files)
}

fn standard_input() -> Result<File, Error> {
    let path = PathBuf::from(STDIN);
    let mut bytes = Vec::new();
    match io::stdin().read_to_end(&mut bytes) {
        Ok(_) => text(&path, STDIN.to_owned(), bytes),
        Err(source) => Err(Error::Unreadable { path, source }),
    }
}

fn file(path: &Path, name: String) -> Result<File, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    text(path, name, bytes)
}

fn text(path: &Path, name: String, bytes: Vec<u8>) -> Result<File, Error> {
    let text = String::from_utf8(bytes).map_err(|_| Error::NotText { path: path.to_owned() })?;
    Ok(File { name, text })
}

/// The file itself, or those in a folder, by name.
fn within(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries =
        std::fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(unreadable)?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths.into_iter().filter(|path| !is_hidden(path)) {
        // A link to a folder may lead round in a circle.
        let is_folder = path.is_dir() && !path.is_symlink();
        if is_folder {
            files.extend(within(&path)?);
        } else if path.is_file() && is_manifest(&path) {
            files.push(path);
        }
    }
    Ok(files)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|end| ENDINGS.iter().any(|known| end.eq_ignore_ascii_case(known)))
}
