//! Parquet reports: only the columns asked for are decoded, a batch of rows at a time.

mod batch;
mod sizes;
mod source;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_schema::{DataType, Schema};
pub use batch::{Batch, BatchRow};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use source::Source;

use super::cell::{Cell, Row};
use crate::{Code, Error, Result};

/// Rows decoded at a time.
const BATCH_ROWS: usize = 8192;

/// An open Parquet file. Its row groups can be read from several threads at once.
///
/// In memory at a time: the footer, and for each column asked for one unpacked page, its dictionary and a batch.
#[derive(Debug)]
pub struct ParquetReport {
    source: Source,
    metadata: ArrowReaderMetadata,
    headers: Vec<String>,
}

impl ParquetReport {
    /// Opens a file and reads its footer.
    ///
    /// # Errors
    /// [`Code::Truncated`] where the footer is missing, [`Code::Malformed`] where it contradicts itself,
    /// [`Code::Encrypted`] where it is encrypted.
    pub fn open(file: File) -> Result<Self> {
        let source = Source::open(file)?;
        source.check_ends()?;
        sizes::check_footer(&source)?;
        // An Arrow schema, where one is embedded, says what Parquet cannot, such as moments counted in seconds. A
        // corrupt one has made the crate panic (arrow-rs issue 2855), and is then done without.
        let load = |skip| {
            ArrowReaderMetadata::load(&source, ArrowReaderOptions::new().with_skip_arrow_metadata(skip))
        };
        let metadata =
            unwinding(|| with_views(&load(false)?)).or_else(|_| unwinding(|| with_views(&load(true)?)))?;
        let headers = metadata.schema().fields().iter().map(|field| field.name().clone()).collect();
        let report = Self { source, metadata, headers };
        report.check_sizes()?;
        Ok(report)
    }

    /// The names of the columns, nested ones included, though their cells are all missing.
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// The rows of the whole file.
    pub fn rows_total(&self) -> u64 {
        (0..self.row_groups()).map(|group| self.rows_of(group)).sum()
    }

    /// How many row groups there are.
    pub fn row_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// The rows of one row group, counted from 0; none where there is no such group.
    pub fn rows_of(&self, row_group: usize) -> u64 {
        // A negative count is refused on opening.
        let groups = self.metadata.metadata().row_groups();
        groups.get(row_group).map_or(0, |group| group.num_rows().unsigned_abs())
    }

    /// The first rows, every column decoded.
    pub fn preview(&self, rows_max: usize) -> Result<Vec<Vec<Cell<'static>>>> {
        let mut rows = Vec::new();
        if rows_max == 0 {
            return Ok(rows);
        }
        let all: Vec<usize> = (0..self.headers.len()).collect();
        self.rows(&all, &mut |_, batch| {
            for index in 0..batch.len().min(rows_max - rows.len()) {
                let row = batch.row(index);
                rows.push((0..row.len()).map(|column| row.cell(column).into_owned()).collect());
            }
            Ok(if rows.len() == rows_max { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(rows)
    }

    /// Hands all rows to `on_batch` in order, with the number of each batch's first row counted from 1, until
    /// that breaks or fails. Only the columns of `projection` are decoded; cells of others are missing, but
    /// every column keeps its position.
    ///
    /// # Errors
    /// [`Code::Malformed`] and [`Code::Truncated`] for damage, and whatever `on_batch` returns.
    pub fn rows(
        &self,
        projection: &[usize],
        on_batch: &mut dyn FnMut(u64, &Batch) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        for group in 0..self.row_groups() {
            if self.row_group(group, projection, on_batch)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// As [`Self::rows`], for one row group; rows are numbered within the whole file.
    pub fn row_group(
        &self,
        row_group: usize,
        projection: &[usize],
        on_batch: &mut dyn FnMut(u64, &Batch) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        if row_group >= self.row_groups() {
            return Err(Error::new(Code::NotFound, format!("the Parquet file has no row group {row_group}")));
        }
        let columns = self.readable(projection);
        let mut line = 1 + (0..row_group).map(|group| self.rows_of(group)).sum::<u64>();
        if columns.is_empty() {
            return self.blank_rows(line, self.rows_of(row_group), on_batch);
        }
        self.check_pages(row_group, &columns)?;
        let mut reader = unwinding(|| self.reader(row_group, &columns))?;
        loop {
            let next = unwinding(|| reader.next().transpose().map_err(ParquetError::from))?;
            let Some(records) = next else { return Ok(ControlFlow::Continue(())) };
            let batch = unwinding(|| Ok(Batch::new(self.headers.len(), &columns, &records)))?;
            if on_batch(line, &batch)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            line += batch.len() as u64;
        }
    }

    /// Rows of which no column is wanted, or can be read, are rows still.
    fn blank_rows(
        &self,
        first: u64,
        rows: u64,
        on_batch: &mut dyn FnMut(u64, &Batch) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        let mut given = 0;
        while given < rows {
            let count = (rows - given).min(BATCH_ROWS as u64);
            if on_batch(first + given, &Batch::blank(self.headers.len(), count as usize))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            given += count;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The columns of a projection that hold plain values, in the file's order and once each.
    fn readable(&self, projection: &[usize]) -> Vec<usize> {
        let fields = self.metadata.schema().fields();
        let mut columns: Vec<usize> = projection
            .iter()
            .copied()
            .filter(|&column| fields.get(column).is_some_and(|field| batch::is_readable(field.data_type())))
            .collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    fn reader(
        &self,
        row_group: usize,
        columns: &[usize],
    ) -> parquet::errors::Result<ParquetRecordBatchReader> {
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied());
        ParquetRecordBatchReaderBuilder::new_with_metadata(self.source.clone(), self.metadata.clone())
            .with_projection(mask)
            .with_row_groups(vec![row_group])
            .with_batch_size(BATCH_ROWS)
            .build()
    }

    /// Refuses counts and places that cannot be true of this file.
    fn check_sizes(&self) -> Result<()> {
        for group in self.metadata.metadata().row_groups() {
            if group.num_rows() < 0 {
                return Err(malformed("a row group has less than no rows"));
            }
            for column in group.columns() {
                if self.place(column).is_none() {
                    return Err(malformed(format!("column {} lies outside the file", column.column_path())));
                }
            }
        }
        Ok(())
    }

    /// Where a column's part of a row group lies and how long it is, if within the file.
    fn place(&self, column: &ColumnChunkMetaData) -> Option<(u64, u64)> {
        // As the crate has it, so that what is checked is what is read.
        let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        let start = u64::try_from(start).ok()?;
        let length = u64::try_from(column.compressed_size()).ok()?;
        (start.checked_add(length)? <= self.source.length()).then_some((start, length))
    }

    fn check_pages(&self, row_group: usize, columns: &[usize]) -> Result<()> {
        let schema = self.metadata.parquet_schema();
        for (leaf, column) in self.metadata.metadata().row_group(row_group).columns().iter().enumerate() {
            if let Some((start, length)) = self.place(column)
                && columns.contains(&schema.get_column_root_idx(leaf))
            {
                sizes::check_pages(&self.source, start, length)?;
            }
        }
        Ok(())
    }
}

/// The same file with its texts read as views.
///
/// A view points into its page, where the other kinds copy: a dictionary's one text of 10 MB, told to stand in
/// every row of a batch, would become 80 GB.
fn with_views(metadata: &ArrowReaderMetadata) -> parquet::errors::Result<ArrowReaderMetadata> {
    let schema = metadata.schema();
    let fields = schema.fields().iter().map(|field| {
        let kind = as_view(field.data_type());
        Arc::new(field.as_ref().clone().with_data_type(kind))
    });
    let schema = Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)
}

fn as_view(kind: &DataType) -> DataType {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::Dictionary(_, values) => as_view(values),
        DataType::RunEndEncoded(_, values) => as_view(values.data_type()),
        other => other.clone(),
    }
}

/// Runs a step of the parquet crate. It means to return errors for corrupt files but still panics on some
/// (arrow-rs issues 7806, 9705, 10107, each found after the one before was mended; flipping the bits of a small
/// file trips three assertions of 60.1). Nothing it leaves behind is used again.
fn unwinding<T>(step: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(outcome) => outcome.map_err(damaged),
        Err(_) => Err(malformed("its content contradicts itself")),
    }
}

fn damaged(error: ParquetError) -> Error {
    if let ParquetError::EOF(what) = &error {
        return Error::new(Code::Truncated, format!("the Parquet file ends in the middle: {what}"))
            .help("Download or export the report again.")
            .caused_by(error);
    }
    malformed(error.to_string()).caused_by(error)
}

fn malformed(what: impl std::fmt::Display) -> Error {
    Error::new(Code::Malformed, format!("the Parquet file is damaged: {what}"))
        .help("Download or export the report again.")
}
