//! Lets one process at a time write to the cache; the lock goes with the process that holds it, however that
//! ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::say::say;

use super::Error;

/// Waits, with a message, while another process makes `what` in `cache`.
///
/// # Errors
/// When the lock beside `cache` cannot be had.
pub(crate) fn acquire(cache: &Path, what: &str) -> Result<File, Error> {
    let path = cache.with_extension("lock");
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
    }
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(Error::file("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            say(format_args!("Another process is making {what}; waiting for it ({})", path.display()));
            file.lock().map_err(Error::file("lock", &path))?;
            Ok(file)
        }
        Err(TryLockError::Error(error)) => Err(Error::file("lock", &path)(error)),
    }
}
