//! What a crash left half written in a folder.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Removes files that `object_store` writes beside the final place, `<name>#<number>`, last written before `before`; how
/// many. Keys have no `#`, so nothing else is called so.
pub(super) fn remove(folder: &Path, before: SystemTime) -> Result<u64, (PathBuf, io::Error)> {
    let mut count = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            // Emptied and removed since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err((folder, error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| (folder.clone(), error))?;
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if is_unfinished(&entry.path()) && is_older(&entry, before) {
                match std::fs::remove_file(entry.path()) {
                    Ok(()) => count += 1,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err((entry.path(), error)),
                }
            }
        }
    }
    Ok(count)
}

fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let number = name.and_then(|name| name.rsplit_once('#')).map(|(_, number)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_older(entry: &std::fs::DirEntry, before: SystemTime) -> bool {
    entry.metadata().and_then(|meta| meta.modified()).is_ok_and(|modified| modified < before)
}
