//! The folder that a run leaves its files in: each whole or not at all.
//!
//! Files grow in a hidden staging folder inside it and are put in place when all are whole, so a run that
//! fails or is killed leaves the earlier files as they were. Their bytes are not forced to the disk first: only a
//! power cut within seconds of the run could tell, the report is still there to score again, and on a slow disk the
//! waiting would take longer than the scoring.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError as Busy};
use std::time::{Duration, Instant};

use caliber_engine::Result;
use tempfile::TempDir;

use crate::failure::refused;
use crate::folder_lock::FolderLock;

/// How often this process has published; locked while it does.
static PUBLISHED: Mutex<u64> = Mutex::new(0);

/// While it lives, nothing is put in place: whoever ends the process at once holds it, so that no folder is left with
/// files of two runs.
#[derive(Debug)]
pub struct PublishingHeld(MutexGuard<'static, u64>);

impl PublishingHeld {
    /// Whether this process has put files in place already.
    pub fn is_after_publishing(&self) -> bool {
        *self.0 > 0
    }
}

/// Waits until nothing is being put in place, and keeps it so; `None` where that takes longer than `patience`.
pub fn hold_publishing(patience: Duration) -> Option<PublishingHeld> {
    let asked = Instant::now();
    loop {
        match PUBLISHED.try_lock() {
            Ok(guard) => return Some(PublishingHeld(guard)),
            Err(Busy::Poisoned(poisoned)) => return Some(PublishingHeld(poisoned.into_inner())),
            Err(Busy::WouldBlock) if asked.elapsed() >= patience => return None,
            Err(Busy::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// The files of an output folder. No other file in it is ever touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutputFile {
    /// `results.parquet`
    ResultsParquet,
    /// `results.csv`
    ResultsCsv,
    /// `results.json`
    ResultsJson,
    /// `results.xlsx`
    ResultsXlsx,
    /// `report.pdf`
    ReportPdf,
    /// `allowlist.txt`
    AllowlistTxt,
    /// `allowlist.csv`
    AllowlistCsv,
    /// `blocklist.txt`
    BlocklistTxt,
    /// `blocklist.csv`
    BlocklistCsv,
    /// `watchlist.csv`
    WatchlistCsv,
    /// `quality.json`
    Quality,
    /// `summary.json`
    Summary,
}

impl OutputFile {
    /// All of them, in the order they are put in place: the summary last, when what it tells of is there.
    pub const ALL: [Self; 12] = [
        Self::ResultsParquet,
        Self::ResultsCsv,
        Self::ResultsJson,
        Self::ResultsXlsx,
        Self::ReportPdf,
        Self::AllowlistTxt,
        Self::AllowlistCsv,
        Self::BlocklistTxt,
        Self::BlocklistCsv,
        Self::WatchlistCsv,
        Self::Quality,
        Self::Summary,
    ];

    /// The file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ResultsParquet => "results.parquet",
            Self::ResultsCsv => "results.csv",
            Self::ResultsJson => "results.json",
            Self::ResultsXlsx => "results.xlsx",
            Self::ReportPdf => "report.pdf",
            Self::AllowlistTxt => "allowlist.txt",
            Self::AllowlistCsv => "allowlist.csv",
            Self::BlocklistTxt => "blocklist.txt",
            Self::BlocklistCsv => "blocklist.csv",
            Self::WatchlistCsv => "watchlist.csv",
            Self::Quality => "quality.json",
            Self::Summary => "summary.json",
        }
    }
}

/// An output folder while a run writes. Dropped without [`publish`](Self::publish) it leaves no trace.
///
/// Several runs may write to one folder at once: each has a staging folder of its own, and the run that publishes
/// last wins with all its files.
#[derive(Debug)]
pub struct OutputFolder {
    dir: PathBuf,
    /// The folders that did not exist before, the innermost first.
    made: Vec<PathBuf>,
    staging: Option<TempDir>,
    /// Locked as long as the run lives: what tells its staging folder from a killed run's.
    alive: File,
    /// What is whole.
    staged: Mutex<BTreeSet<OutputFile>>,
}

const STAGING: &str = ".caliber-staging-";
const ALIVE: &str = "alive";
const BUFFER: usize = 1 << 15;

impl OutputFolder {
    /// Makes the folder if it is missing, removes what killed runs left of theirs, and stages a run.
    ///
    /// # Errors
    /// [`Code::Machine`](caliber_engine::Code::Machine) where `dir` is no folder or may not be written to.
    pub fn create(dir: &Path) -> Result<Self> {
        let refuse = |cause| refused("write into the folder", cause).in_file(dir.display().to_string());
        let made = missing_folders(dir);
        let mut attempts = 1;
        loop {
            match stage(dir) {
                Ok((staging, alive)) => {
                    let staged = Mutex::default();
                    return Ok(Self { dir: dir.to_owned(), made, staging: Some(staging), alive, staged });
                }
                // A run that failed just removed the folder it had made.
                Err(cause) if cause.kind() == ErrorKind::NotFound && attempts < 10 => attempts += 1,
                Err(cause) => {
                    remove_empty(&made);
                    return Err(refuse(cause));
                }
            }
        }
    }

    /// Where temporary files may lie while the run lives.
    pub fn scratch(&self) -> &Path {
        self.staging.as_ref().map_or(&self.dir, TempDir::path)
    }

    /// Stages one file; `produce` writes its content. May be called from several threads. A file that is written
    /// twice is the later one; one whose `produce` failed is not there.
    ///
    /// # Errors
    /// What `produce` fails with, and the machine's refusals, each with the file's path.
    pub fn write(
        &self,
        file: OutputFile,
        produce: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
    ) -> Result<()> {
        let failed = |cause| refused("write the file", cause).in_file(self.shown(file));
        self.staged().remove(&file);
        let path = self.scratch().join(file.name());
        let mut writer = BufWriter::with_capacity(BUFFER, File::create(&path).map_err(failed)?);
        produce(&mut writer).map_err(|error| error.in_file(self.shown(file)))?;
        writer.flush().map_err(failed)?;
        self.staged().insert(file);
        Ok(())
    }

    /// Puts all staged files in place over earlier ones, and removes those of our files from an earlier run that
    /// this run did not write. Returns the paths in place.
    ///
    /// # Errors
    /// Before the first file is replaced where a folder stands in the place of one; the message of a failure after that names the files already replaced.
    pub fn publish(self) -> Result<Vec<PathBuf>> {
        let whole = mem::take(&mut *self.staged());
        let _lock = FolderLock::take(&self.dir).map_err(|cause| {
            refused("write into the folder", cause).in_file(self.dir.display().to_string())
        })?;
        self.nothing_in_the_way(&whole)?;
        let mut published = PUBLISHED.lock().unwrap_or_else(PoisonError::into_inner);
        let mut placed = Vec::with_capacity(whole.len());
        for file in OutputFile::ALL {
            let path = self.dir.join(file.name());
            if whole.contains(&file) {
                put_in_place(&self.scratch().join(file.name()), &path)
                    .map_err(|cause| stopped_at("replace the file", cause, &path, &placed))?;
                placed.push(path);
            } else {
                remove_stale(&path)
                    .map_err(|cause| stopped_at("remove the earlier run's file", cause, &path, &placed))?;
            }
        }
        *published += 1;
        Ok(placed)
    }

    fn nothing_in_the_way(&self, files: &BTreeSet<OutputFile>) -> Result<()> {
        for file in files {
            let path = self.dir.join(file.name());
            if fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
                let cause = io::Error::from(ErrorKind::IsADirectory);
                return Err(refused("replace the file", cause).in_file(path.display().to_string()));
            }
        }
        Ok(())
    }

    /// The path a file will have, for messages.
    fn shown(&self, file: OutputFile) -> String {
        self.dir.join(file.name()).display().to_string()
    }

    fn staged(&self) -> MutexGuard<'_, BTreeSet<OutputFile>> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        drop(self.staging.take());
        let _ = self.alive.unlock();
        remove_empty(&self.made);
    }
}

/// Makes the folder if it is missing and a staging folder in it, and locks that.
fn stage(dir: &Path) -> io::Result<(TempDir, File)> {
    fs::create_dir_all(dir).map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => io::Error::from(ErrorKind::NotADirectory),
        _ => cause,
    })?;
    let _lock = FolderLock::take(dir)?;
    remove_leftovers(dir);
    let staging = tempfile::Builder::new().prefix(STAGING).tempdir_in(dir)?;
    let alive = File::create_new(staging.path().join(ALIVE))?;
    // Where the file system has no locks, `remove_leftovers` spares what it cannot judge.
    let _ = alive.lock();
    Ok((staging, alive))
}

fn stopped_at(attempt: &str, cause: io::Error, path: &Path, placed: &[PathBuf]) -> caliber_engine::Error {
    let mut error = refused(attempt, cause).in_file(path.display().to_string());
    if !placed.is_empty() {
        let names: Vec<_> = placed.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        error.message = format!("{}; already replaced: {}", error.message, names.join(", "));
    }
    error
}

/// Puts a file where an earlier one may stand, in one step. Where the two can change places they do, and the earlier
/// one goes with the staging folder: some file systems force a file to the disk that is renamed over another, which
/// took longer than writing all of them.
#[cfg(target_os = "linux")]
fn put_in_place(staged: &Path, path: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};

    let is_file = fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    if is_file && renameat_with(CWD, staged, CWD, path, RenameFlags::EXCHANGE).is_ok() {
        return Ok(());
    }
    fs::rename(staged, path)
}

#[cfg(not(target_os = "linux"))]
fn put_in_place(staged: &Path, path: &Path) -> io::Result<()> {
    fs::rename(staged, path)
}

/// Removes an earlier run's file. What is no file is not ours.
fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_dir() => fs::remove_file(path),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes the staging folders of runs that are dead: nobody holds their lock. Under [`FolderLock`], so none is
/// seen half made. What cannot be removed or judged stays; it is in nobody's way.
fn remove_leftovers(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(STAGING));
        if ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_dead(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_dead(staging: &Path) -> bool {
    match File::open(staging.join(ALIVE)) {
        Ok(alive) => match alive.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

/// `dir` and those above it that do not exist, the innermost first.
fn missing_folders(dir: &Path) -> Vec<PathBuf> {
    let above = dir.ancestors().filter(|folder| !folder.as_os_str().is_empty());
    above.take_while(|folder| fs::symlink_metadata(folder).is_err()).map(Path::to_owned).collect()
}

/// Removes the folders that this run made, as far as they are empty.
fn remove_empty(made: &[PathBuf]) {
    for folder in made {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}
