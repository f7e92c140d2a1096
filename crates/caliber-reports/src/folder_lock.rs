//! The short lock under which a run enters an output folder and publishes into it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

const NAME: &str = ".caliber-lock";

/// Held for moments only, so others simply wait. The system lets go of it when a process is killed.
pub(crate) struct FolderLock {
    path: PathBuf,
    _file: File,
}

impl FolderLock {
    /// Waits for the lock of `dir`.
    pub(crate) fn take(dir: &Path) -> io::Result<Self> {
        let path = dir.join(NAME);
        loop {
            let file = open(&path)?;
            match file.lock() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // A file system without locks: nobody can be waited for there.
                Ok(()) | Err(_) => {}
            }
            // The run before removes the file as it lets go; then what is locked here guards nothing.
            if is_at(&file, &path)? {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        if cfg!(unix) {
            // Best effort: an empty lock file left behind harms nobody.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Opens the file, also one that a killed run of somebody else left and that we may only read.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .or_else(|error| File::open(path).map_err(|_| error))
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    match fs::symlink_metadata(path) {
        Ok(found) => file.metadata().map(|held| (held.dev(), held.ino()) == (found.dev(), found.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where nobody removes the file, it is always the one.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of Unix")]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}
