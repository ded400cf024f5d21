//! All that is generated: which files, and writing them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use keyward::api::{crds, json_schema};
use kube::ResourceExt as _;

use crate::file::File;
use crate::pages;

/// Folders that hold generated files and no others.
pub const FOLDERS: [&str; 4] = [CRDS, CRDS_OF_CHART, SCHEMAS, pages::FOLDER];

const CRDS: &str = "crds";
const CRDS_OF_CHART: &str = "charts/keyward/files/crds";
const SCHEMAS: &str = "schemas";

/// Why files cannot be generated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The CRDs cannot be made, which would be a mistake in Keyward.
    #[error("the CRDs")]
    Crds(#[from] crds::Error),
    /// A page cannot be made, which would be a mistake in Keyward.
    #[error("the reference pages")]
    Pages(#[from] pages::Error),
    /// A folder or file cannot be read or written.
    #[error("{}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Every file, with its text.
///
/// # Errors
/// When one cannot be made, which would be a mistake in Keyward.
pub fn files() -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    for crd in crds::all()? {
        let (name, text) = (format!("{}.yaml", crd.name_any()), crds::document(&crd)?);
        files.extend(
            [CRDS, CRDS_OF_CHART].map(|folder| File { path: format!("{folder}/{name}"), text: text.clone() }),
        );
    }
    let schemas = json_schema::documents()?.into_iter();
    files
        .extend(schemas.map(|schema| File { path: format!("{SCHEMAS}/{}", schema.name), text: schema.text }));
    files.extend(pages::all()?);
    Ok(files)
}

/// Writes every file below `root`, and deletes what else is in their folders.
///
/// # Errors
/// When a file cannot be made, or cannot be written.
pub fn write(root: &Path) -> Result<(), Error> {
    let files = files()?;
    for folder in FOLDERS {
        empty(&root.join(folder))?;
    }
    for File { path, text } in files {
        let path = root.join(path);
        fs::write(&path, text).map_err(of(&path))?;
    }
    Ok(())
}

/// Makes the folder, without any file in it.
fn empty(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(of(folder))?;
    for entry in fs::read_dir(folder).map_err(of(folder))? {
        let path = entry.map_err(of(folder))?.path();
        fs::remove_file(&path).map_err(of(&path))?;
    }
    Ok(())
}

fn of(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::Io { path, source }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_file_is_written_once_and_what_is_no_longer_generated_goes() {
        let root = tempfile::tempdir().unwrap();
        let old = root.path().join(CRDS).join("old.yaml");
        fs::create_dir_all(old.parent().unwrap()).unwrap();
        fs::write(&old, "").unwrap();
        write(root.path()).unwrap();
        assert!(!old.exists());
        let files = files().unwrap();
        for File { path, text } in &files {
            assert!(fs::read_to_string(root.path().join(path)).unwrap() == *text, "{path}");
        }
        let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths.len(), files.len());
        let folders: BTreeSet<&str> =
            paths.iter().filter_map(|path| path.rsplit_once('/')).map(|(f, _)| f).collect();
        assert_eq!(folders, BTreeSet::from(FOLDERS));
    }
}
