//! The folder of a control plane: gone with its owner, or at the latest when the next one starts.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use tempfile::TempDir;

use crate::say::say;

use super::Error;

const PREFIX: &str = "keyward-cp-";
const OWNER: &str = "pid";

/// A temporary folder that only its owner can read.
#[derive(Debug)]
pub(crate) struct Folder {
    temp: TempDir,
    /// Locked as long as the owner lives: unlike a number, the lock can't pass to an unrelated process.
    _owner: File,
}

impl Folder {
    /// Creates one in the folder for temporary files.
    pub(crate) fn create() -> Result<Self, Error> {
        Self::create_in(&std::env::temp_dir())
    }

    fn create_in(parent: &Path) -> Result<Self, Error> {
        let temp = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)
            .map_err(Error::file("write", parent))?;
        let owner = claim(temp.path())?;
        Ok(Self { temp, _owner: owner })
    }

    pub(crate) fn path(&self) -> &Path {
        self.temp.path()
    }

    /// Removes the folder, and unlike a drop says when that fails.
    pub(crate) fn close(self) -> Result<(), Error> {
        let path = self.temp.path().to_owned();
        self.temp.close().map_err(Error::file("remove", path))
    }
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    let write = || {
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true).mode(0o600).open(path)?.write_all(content)
    };
    write().map_err(Error::file("write", path))
}

/// The file gets its name only once it is locked, so nobody sees a living owner's file unlocked.
fn claim(folder: &Path) -> Result<File, Error> {
    let path = folder.join(OWNER);
    let unnamed = folder.join("pid.new");
    let claim = || {
        let mut file = File::create_new(&unnamed)?;
        writeln!(file, "{}", std::process::id())?;
        file.lock()?;
        fs::rename(&unnamed, &path)?;
        Ok(file)
    };
    claim().map_err(Error::file("write", path.clone()))
}

/// Removes the folders whose owner was killed before it could. A folder that stays is no reason not to start.
pub(crate) fn sweep() {
    let parent = std::env::temp_dir();
    if let Err(error) = sweep_in(&parent) {
        say(format_args!("Can't look for left folders in {}: {error}", parent.display()));
    }
}

fn sweep_in(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX)
            && let Err(error) = remove_if_left(&entry.path())
        {
            say(format_args!("Can't remove the left folder {}: {error}", entry.path().display()));
        }
    }
    Ok(())
}

fn remove_if_left(folder: &Path) -> io::Result<()> {
    let owner = match File::open(folder.join(OWNER)) {
        Ok(file) => file,
        // Just being made or removed, or another user's.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    match owner.try_lock() {
        Ok(()) => match fs::remove_dir_all(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        },
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_without_a_living_owner_are_swept() {
        let parent = tempfile::tempdir().unwrap();
        let living = Folder::create_in(parent.path()).unwrap();
        let left = parent.path().join("keyward-cp-left");
        let unclaimed = parent.path().join("keyward-cp-unclaimed");
        let foreign = parent.path().join("other");
        for folder in [&left, &unclaimed, &foreign] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(left.join(OWNER), "1\n").unwrap();
        fs::write(foreign.join(OWNER), "1\n").unwrap();

        sweep_in(parent.path()).unwrap();

        assert!(!left.exists());
        assert!(living.path().is_dir() && unclaimed.is_dir() && foreign.is_dir());
        let gone = living.path().to_owned();
        living.close().unwrap();
        assert!(!gone.exists());
    }

    #[test]
    fn the_folder_and_its_files_are_private() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::create_in(parent.path()).unwrap();
        let file = folder.path().join("secret");
        write_private(&file, b"x").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.path()), mode(&file)), (0o700, 0o600));
        let pid = fs::read_to_string(folder.path().join(OWNER)).unwrap();
        assert_eq!(pid.trim(), std::process::id().to_string());
    }
}
