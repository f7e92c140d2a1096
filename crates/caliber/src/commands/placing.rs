//! Files of any name, each put in place whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use caliber_engine::{Code, Error, Result};
use tempfile::NamedTempFile;

/// Files that are written and not yet in place. Dropped, they leave no trace.
#[derive(Default)]
pub(crate) struct Placing {
    staged: Vec<(NamedTempFile, PathBuf)>,
}

impl Placing {
    /// Writes a file beside its place; folders above it are made.
    pub(crate) fn stage(
        &mut self,
        path: &Path,
        produce: impl FnOnce(&mut BufWriter<&File>) -> Result<()>,
    ) -> Result<()> {
        let refused = |cause| unwritten(cause, path);
        // Put in place of a device or a pipe, the file would take its name and nobody would get the bytes.
        if path.metadata().is_ok_and(|there| !there.is_file()) {
            let message = "cannot write the file: what stands there is no file";
            return Err(Error::new(Code::Machine, message)
                .in_file(path.display().to_string())
                .help("give another name"));
        }
        let folder = folder_of(path);
        fs::create_dir_all(folder).map_err(refused)?;
        let staged = temporary(folder).map_err(refused)?;
        let mut writer = BufWriter::with_capacity(1 << 18, staged.as_file());
        produce(&mut writer).map_err(|error| error.in_file(path.display().to_string()))?;
        writer.flush().map_err(refused)?;
        drop(writer);
        self.staged.push((staged, path.to_owned()));
        Ok(())
    }

    /// Puts all of them in place; returns where they are, with their sizes in bytes.
    pub(crate) fn place(self) -> Result<Vec<(PathBuf, u64)>> {
        let placed = self.staged.into_iter().map(|(staged, path)| {
            let size = staged.as_file().metadata().map_err(|cause| unwritten(cause, &path))?.len();
            staged.persist(&path).map_err(|error| unwritten(error.error, &path))?;
            Ok((path, size))
        });
        placed.collect()
    }
}

/// The whole content of a file.
pub(crate) fn write_bytes(bytes: &[u8], mut file: impl Write) -> Result<()> {
    file.write_all(bytes).map_err(caliber_reports::unwritten)
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// As readable as any other new file.
#[cfg(unix)]
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;

    let anybody = fs::Permissions::from_mode(0o666);
    tempfile::Builder::new().prefix(".caliber-").permissions(anybody).tempfile_in(folder)
}

#[cfg(not(unix))]
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".caliber-").tempfile_in(folder)
}

fn unwritten(cause: io::Error, path: &Path) -> Error {
    caliber_reports::unwritten(cause).in_file(path.display().to_string())
}
