//! Summing the rows of one file by a plan: text and Parquet on several threads, a sheet on one.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Lines, Reading};
use crate::parallel;
use crate::report::cell::Row;
use crate::report::parquet::{BatchRow, ParquetReport};
use crate::report::source::read_error;
use crate::report::text;
use crate::report::workbook::Workbook;
use crate::report::{Body, Chunk, ChunkError, Chunks, MAX_COLUMNS, Record, ReportFile};
use crate::rollup::facts::Place;
use crate::rollup::plan::{Layout, Plan};
use crate::rollup::{BATCH, RollUp};
use crate::{Code, Error, Result};

impl Reading<'_> {
    /// Sums all rows of a file.
    pub(super) fn sum(
        &self,
        file: &ReportFile,
        layout: &Arc<Layout>,
        plan: &Arc<Plan>,
    ) -> Result<(RollUp, Lines)> {
        let rollup = || RollUp::new(Arc::clone(layout), Arc::clone(plan), file.headers.len());
        match &file.body {
            Body::Text { .. } => self.sum_text(file, rollup),
            Body::Sheet(sheet) => self.sum_sheet(file, sheet, rollup()),
            Body::Parquet => self.sum_parquet(file, plan, rollup),
        }
        .map_err(|error| error.in_file(file.source.name()))
    }

    fn sum_text(&self, file: &ReportFile, rollup: impl Fn() -> RollUp + Sync) -> Result<(RollUp, Lines)> {
        let &Body::Text { encoding, delimiter, skip_bytes, skip_lines } = &file.body else {
            return Err(Error::new(Code::Malformed, "the file is not text"));
        };
        let blocks = text::blocks(&file.source, encoding, skip_bytes, self.progress)?;
        let chunks = Chunks::new(blocks, delimiter, self.chunk_bytes);
        let parts = in_parallel(self.threads, || {
            let (mut rollup, mut chunk, mut lines) = (rollup(), Chunk::default(), Vec::new());
            loop {
                self.progress.check()?;
                match chunks.next(&mut chunk) {
                    Ok(true) => {}
                    Ok(false) => return Ok((rollup, lines, None)),
                    Err(error) => return Ok((rollup, lines, Some(error))),
                }
                let number = chunk.number as u32;
                lines.push((number, chunk.lines));
                rollup.begin_chunk(number);
                let place =
                    |record: &Record<'_>| Place { chunk: number, lines_before: chunk.lines_before(record) };
                if chunk.width() > MAX_COLUMNS
                    && let Some(wide) = chunk.records().find(|record| record.len() > MAX_COLUMNS)
                {
                    let error = ChunkError::TooWide { place: place(&wide), width: wide.len() };
                    return Ok((rollup, lines, Some(error)));
                }
                let (mut some, mut rows) = (Vec::with_capacity(BATCH), 0);
                for mut records in chunk.parts() {
                    loop {
                        some.clear();
                        some.extend(records.by_ref().take(BATCH));
                        if some.is_empty() {
                            break;
                        }
                        rollup.add(&some, place);
                        rows += some.len() as u64;
                    }
                }
                self.progress.rows.fetch_add(rows, Ordering::Relaxed);
            }
        })?;
        let (mut rollups, mut lines, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for (rollup, part, failed) in parts {
            rollups.push(rollup);
            lines.extend(part);
            errors.extend(failed);
        }
        let lines = Lines::new(lines, skip_lines);
        // Whichever thread met one: the first of the file.
        match errors.into_iter().min_by_key(ChunkError::chunk) {
            Some(error) => Err(unreadable_chunk(error, &lines)),
            None => Ok((merged(rollups)?, lines)),
        }
    }

    fn sum_sheet(&self, file: &ReportFile, sheet: &str, mut rollup: RollUp) -> Result<(RollUp, Lines)> {
        let header_line = file.header_line.unwrap_or(0);
        let open = std::fs::File::open(file.source.path()).map_err(|error| read_error(error, "workbook"))?;
        let mut workbook = Workbook::open(open)?;
        rollup.begin_chunk(0);
        let mut rows = 0_u64;
        workbook.rows(sheet, &mut |line, row| {
            if line > header_line {
                rollup.add(std::slice::from_ref(row), |_| Place { chunk: 0, lines_before: line - 1 });
                rows += 1;
                if rows.is_multiple_of(1024) {
                    self.progress.rows.fetch_add(1024, Ordering::Relaxed);
                    self.progress.check()?;
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        self.progress.rows.fetch_add(rows % 1024, Ordering::Relaxed);
        self.progress.bytes.fetch_add(file.source.size()?, Ordering::Relaxed);
        Ok((rollup, Lines::new(vec![(0, 0)], 0)))
    }

    fn sum_parquet(
        &self,
        file: &ReportFile,
        plan: &Plan,
        rollup: impl Fn() -> RollUp + Sync,
    ) -> Result<(RollUp, Lines)> {
        let open =
            std::fs::File::open(file.source.path()).map_err(|error| read_error(error, "Parquet file"))?;
        let parquet = ParquetReport::open(open)?;
        let mut columns: Vec<usize> = plan.numbers.iter().map(|number| number.column).collect();
        columns.extend([plan.dimension_column].iter().chain(&plan.date).chain(&plan.currency));
        columns.extend(plan.filters.iter().map(|filter| filter.column));
        let next_group = AtomicUsize::new(0);
        let share = file.source.size()? / parquet.row_groups().max(1) as u64;
        let rollups = in_parallel(self.threads, || {
            let mut rollup = rollup();
            loop {
                let group = next_group.fetch_add(1, Ordering::Relaxed);
                if group >= parquet.row_groups() {
                    return Ok(rollup);
                }
                rollup.begin_chunk(group as u32);
                let _all_rows_read = parquet.row_group(group, &columns, &mut |first_line, batch| {
                    self.progress.check()?;
                    let rows: Vec<_> = (0..batch.len()).map(|index| batch.row(index)).collect();
                    let place = |row: &BatchRow<'_>| Place {
                        chunk: group as u32,
                        lines_before: first_line + row.index() as u64 - 1,
                    };
                    rollup.add(&rows, place);
                    self.progress.rows.fetch_add(batch.len() as u64, Ordering::Relaxed);
                    Ok(ControlFlow::Continue(()))
                })?;
                self.progress.bytes.fetch_add(share, Ordering::Relaxed);
            }
        })?;
        let lines = Lines::new((0..parquet.row_groups() as u32).map(|group| (group, 0)).collect(), 0);
        Ok((merged(rollups)?, lines))
    }
}

/// Runs a task on so many threads and gathers what they return; the first error wins.
fn in_parallel<T: Send>(threads: usize, task: impl Fn() -> Result<T> + Sync) -> Result<Vec<T>> {
    let done = parallel::on_threads(threads, task).into_iter();
    done.map(|done| done.map_err(|_| broken_thread())?).collect()
}

fn broken_thread() -> Error {
    Error::new(Code::Machine, "a thread broke down while it read")
        .help("this is a bug of ours; please report it")
}

fn merged(rollups: Vec<RollUp>) -> Result<RollUp> {
    rollups
        .into_iter()
        .reduce(|mut all, part| {
            all.merge(part);
            all
        })
        .ok_or_else(broken_thread)
}

fn unreadable_chunk(error: ChunkError, lines: &Lines) -> Error {
    match error {
        ChunkError::Io(error) => read_error(error, "file"),
        ChunkError::Unclosed { chunk, lines_before, quote } => {
            let place = Place { chunk: chunk as u32, lines_before };
            let line = lines.line(place);
            if quote {
                Error::new(Code::Malformed, "a quoted cell begins here and never ends")
                    .at_line(line)
                    .help("close the quote, or take it away")
            } else {
                text::too_long().at_line(line)
            }
        }
        ChunkError::TooWide { place, width } => Error::new(
            Code::TooLarge,
            format!("a row of {width} cells; a report has at most {MAX_COLUMNS} columns"),
        )
        .at_line(lines.line(place))
        .help("export the report again with the columns that scoring needs"),
    }
}
