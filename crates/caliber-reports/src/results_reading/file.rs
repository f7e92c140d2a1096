//! A results file: its columns by name, and their cells, several columns at once.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use caliber_engine::{Code, Error, Result};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{ChunkReader, FileReader};
use parquet::file::serialized_reader::SerializedFileReader;

use super::cells::{Cells, Kind};
use super::damaged;

/// Where the bytes are: opened anew for each thread.
pub(super) trait Source: ChunkReader + 'static {}

impl<T: ChunkReader + 'static> Source for T {}

type Open<'a, R> = Box<dyn Fn() -> io::Result<R> + Sync + 'a>;

/// A results file whose footer was read and found to be one that we write.
pub(super) struct ResultsFile<'a, R> {
    open: Open<'a, R>,
    /// The leaf column of each name.
    columns: HashMap<String, usize>,
    rows: usize,
}

impl<'a, R: Source> ResultsFile<'a, R> {
    pub(super) fn open(open: impl Fn() -> io::Result<R> + Sync + 'a) -> Result<Self> {
        let source = open().map_err(unreadable)?;
        let bytes = source.len();
        let reader = unwinding(|| SerializedFileReader::new(source))?;
        let metadata = reader.metadata();
        let rows = checked_rows(metadata, bytes)?;
        let leaves = metadata.file_metadata().schema_descr().columns().iter().enumerate();
        let columns =
            leaves.filter_map(|(at, leaf)| Some((leaf.path().parts().first()?.clone(), at))).collect();
        Ok(Self { open: Box::new(open), columns, rows })
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// The cells of these columns. Those that the file has not are left out.
    pub(super) fn read(&self, wanted: &[(String, Kind)]) -> Result<HashMap<String, Cells>> {
        let next = AtomicUsize::new(0);
        let read = Mutex::new(Ok(HashMap::with_capacity(wanted.len())));
        let work = || -> Result<()> {
            let source = (self.open)().map_err(unreadable)?;
            let reader = unwinding(|| SerializedFileReader::new(source))?;
            while let Some((name, kind)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                let Some(&leaf) = self.columns.get(name) else { continue };
                let cells =
                    self.column(&reader, leaf, *kind).map_err(|error| error.at_column(name.as_str()))?;
                let mut read = read.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                match read.as_mut() {
                    Ok(columns) => drop(columns.insert(name.clone(), cells)),
                    // Another thread failed: what this one would read is of no use.
                    Err(_) => break,
                }
            }
            Ok(())
        };
        let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(wanted.len());
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    if let Err(error) = work() {
                        *read.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Err(error);
                    }
                });
            }
        });
        read.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn column(&self, reader: &SerializedFileReader<R>, leaf: usize, kind: Kind) -> Result<Cells> {
        let mut cells = kind.empty(self.rows);
        for group in 0..reader.num_row_groups() {
            let rows = reader.metadata().row_group(group).num_rows().unsigned_abs() as usize;
            let mut column = unwinding(|| reader.get_row_group(group)?.get_column_reader(leaf))?;
            unwinding(|| Ok(cells.read(&mut column, rows)))??;
        }
        Ok(cells)
    }
}

/// The rows that the footer claims, if a file of that many bytes can hold them.
fn checked_rows(metadata: &ParquetMetaData, bytes: u64) -> Result<usize> {
    let mut rows = 0_u64;
    for group in metadata.row_groups() {
        let claimed = u64::try_from(group.num_rows()).map_err(|_| damaged("a count of rows is negative"))?;
        rows = rows.saturating_add(claimed);
        if group.columns().iter().any(|column| column.compression() != Compression::UNCOMPRESSED) {
            return Err(damaged("a results file is not compressed"));
        }
    }
    // A name takes four bytes and its letters. So memory is bounded by what is really there.
    if rows > bytes / 4 || rows > u64::from(u32::MAX) {
        return Err(damaged(format!("a file of {bytes} bytes cannot hold {rows} rows")));
    }
    Ok(rows as usize)
}

fn unreadable(cause: io::Error) -> Error {
    Error::new(Code::NotReadable, format!("the results cannot be opened: {cause}")).caused_by(cause)
}

/// The Parquet crate has panicked on corrupt files; that is damage like any other.
fn unwinding<T>(read: impl FnOnce() -> std::result::Result<T, ParquetError>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => {
            read.map_err(|error| damaged(format!("the results file is damaged: {error}")).caused_by(error))
        }
        Err(_) => Err(damaged("the results file is damaged")),
    }
}
