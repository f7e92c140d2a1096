//! Storage keys: relative paths of plain names.

use object_store::path::Path;

use super::ObjectError;

/// Bytes that every file system takes in a path, with room for what stands before it.
const KEY_BYTES_MAX: usize = 512;

/// The key as the storage takes it. Refused: absolute, empty, with `.` or `..` or an empty name in it, with anything but
/// letters, digits, `-`, `_`, `.` and `/`: keys are made by us, of ids and fixed words.
pub(super) fn path_of(key: &str) -> Result<Path, ObjectError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name = |name: &str| !matches!(name, "" | "." | "..") && name.chars().all(fits);
    if key.len() > KEY_BYTES_MAX || !key.split('/').all(name) {
        return Err(ObjectError::Key(key.to_owned()));
    }
    Path::parse(key).map_err(|_| ObjectError::Key(key.to_owned()))
}
