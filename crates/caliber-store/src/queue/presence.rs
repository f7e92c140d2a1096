//! Which worker processes are alive. Each holds a lock of the operating system on a file of its own, which ends with the
//! process however that ends: so the death of a worker on this machine is known at once, not only when its leases run
//! out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::{Result, StoreError};

/// The ending of lock files.
const ENDING: &str = "lock";

/// The sign of life of this process.
#[derive(Debug)]
pub struct Presence {
    path: PathBuf,
    /// The lock; it ends with the handle.
    _file: File,
}

impl Presence {
    /// Shows that `worker` (letters, digits, `-`, `_`; unique for ever) is alive, until it is dropped.
    pub fn show(folder: &Path, worker: &str) -> Result<Self> {
        let path = folder.join(format!("{worker}.{ENDING}"));
        let show = || {
            std::fs::create_dir_all(folder)?;
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if worker.is_empty() || !worker.chars().all(fits) {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a worker's name"));
            }
            // Locked before it has the name that others look for: nobody finds it unlocked while we live.
            let unnamed = folder.join(format!("{worker}.starting"));
            let file = OpenOptions::new().create_new(true).write(true).open(&unnamed)?;
            file.lock()?;
            std::fs::rename(&unnamed, &path)?;
            Ok(file)
        };
        let file = show().map_err(|source| StoreError::Folder { path: path.clone(), source })?;
        Ok(Self { path, _file: file })
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // Left behind, the file is only found by a reaper, which finds no jobs for it and removes it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Workers of this machine whose process has ended without a word.
#[derive(Debug, Default)]
pub struct DeadWorkers {
    /// Their names.
    pub names: Vec<String>,
    /// Locked by us, so that no other reaper works on them at the same time.
    files: Vec<(PathBuf, File)>,
}

impl DeadWorkers {
    /// Removes their signs; to be called once their jobs are queued again and that is committed.
    pub fn forget(self) {
        for (path, _file) in self.files {
            // What cannot be removed is found again next time.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The dead workers of this machine; none where there is no such folder.
pub fn dead_workers(folder: &Path) -> Result<DeadWorkers> {
    let failed = |source| StoreError::Folder { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(DeadWorkers::default()),
        Err(error) => return Err(failed(error)),
    };
    let mut dead = DeadWorkers::default();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|ending| ending != ENDING) {
            continue;
        }
        let Some(name) = path.file_stem().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        // Gone since the folder was read: it ended in order.
        let Ok(file) = File::open(&path) else { continue };
        match file.try_lock() {
            Ok(()) => {
                dead.names.push(name);
                dead.files.push((path, file));
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(StoreError::Folder { path, source }),
        }
    }
    Ok(dead)
}
