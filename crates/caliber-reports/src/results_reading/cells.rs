//! The cells of one column, decoded.

use caliber_engine::Result;
use caliber_engine::results::Status;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};

use super::damaged;

/// Cells decoded at a time.
const BATCH: usize = 1 << 13;
/// No row has more flags than there are metrics and columns; what has is no file of ours.
pub(super) const FLAGS_MAX: usize = 1000;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Names,
    /// Figures that are there in every row.
    Numbers,
    /// Figures that are there in every row or in none; then they are left empty.
    Count,
    MaybeNumbers,
    Statuses,
    Flags,
}

impl Kind {
    pub(super) fn empty(self, rows: usize) -> Cells {
        match self {
            Self::Names => Cells::Names(Vec::with_capacity(rows)),
            Self::Numbers => Cells::Numbers(Vec::with_capacity(rows)),
            Self::Count => Cells::Numbers(Vec::new()),
            Self::MaybeNumbers => Cells::MaybeNumbers(Vec::with_capacity(rows)),
            Self::Statuses => Cells::Statuses(Vec::with_capacity(rows)),
            Self::Flags => Cells::Flags(Vec::with_capacity(rows)),
        }
    }
}

/// The cells of one column, one a row.
pub(super) enum Cells {
    Names(Vec<String>),
    /// Missing ones are left out: whoever asks compares the length.
    Numbers(Vec<f64>),
    MaybeNumbers(Vec<Option<f64>>),
    Statuses(Vec<Status>),
    Flags(Vec<Vec<String>>),
}

impl Cells {
    /// Adds the rows of a row group.
    pub(super) fn read(&mut self, column: &mut ColumnReader, rows: usize) -> Result<()> {
        match (self, column) {
            (Self::Numbers(numbers), ColumnReader::DoubleColumnReader(column)) => {
                batches(column, rows, |batch| {
                    finite(&batch.values)?;
                    numbers.append(&mut batch.values);
                    Ok(())
                })
            }
            (Self::MaybeNumbers(numbers), ColumnReader::DoubleColumnReader(column)) => {
                batches(column, rows, |batch| {
                    finite(&batch.values)?;
                    let mut values = batch.values.iter().copied();
                    numbers.extend(batch.definition.iter().map(|level| (*level > 0).then(|| values.next())?));
                    Ok(())
                })
            }
            (Self::Names(names), ColumnReader::ByteArrayColumnReader(column)) => {
                batches(column, rows, |batch| {
                    for value in &batch.values {
                        names.push(text(value)?.to_owned());
                    }
                    Ok(())
                })
            }
            (Self::Statuses(statuses), ColumnReader::ByteArrayColumnReader(column)) => {
                batches(column, rows, |batch| {
                    for value in &batch.values {
                        statuses.push(status(text(value)?)?);
                    }
                    Ok(())
                })
            }
            (Self::Flags(flags), ColumnReader::ByteArrayColumnReader(column)) => {
                batches(column, rows, |batch| add_flags(flags, batch))
            }
            _ => Err(damaged("a column is of another kind than in a results file")),
        }
    }
}

/// What is decoded at a time.
struct Batch<T> {
    definition: Vec<i16>,
    repetition: Vec<i16>,
    values: Vec<T>,
}

fn batches<T: DataType>(
    column: &mut ColumnReaderImpl<T>,
    rows: usize,
    mut take: impl FnMut(&mut Batch<T::T>) -> Result<()>,
) -> Result<()> {
    let mut batch = Batch { definition: Vec::new(), repetition: Vec::new(), values: Vec::new() };
    let mut left = rows;
    while left > 0 {
        batch.definition.clear();
        batch.repetition.clear();
        batch.values.clear();
        let (records, ..) = column
            .read_records(
                left.min(BATCH),
                Some(&mut batch.definition),
                Some(&mut batch.repetition),
                &mut batch.values,
            )
            .map_err(|error| damaged(format!("a column is damaged: {error}")).caused_by(error))?;
        if records == 0 {
            return Err(damaged("a column ends before its rows do"));
        }
        left -= records.min(left);
        take(&mut batch)?;
    }
    Ok(())
}

/// Each level is an entry of a list: repetition 0 begins a row, definition 0 is an empty list, 2 a word.
fn add_flags(flags: &mut Vec<Vec<String>>, batch: &Batch<ByteArray>) -> Result<()> {
    let mut values = batch.values.iter();
    for (definition, repetition) in batch.definition.iter().zip(&batch.repetition) {
        if *repetition == 0 {
            flags.push(Vec::new());
        }
        if *definition == 0 {
            continue;
        }
        let word = (*definition == 2).then(|| values.next()).flatten();
        let (Some(row), Some(word)) = (flags.last_mut(), word) else {
            return Err(damaged("a flag is missing"));
        };
        if row.len() == FLAGS_MAX {
            return Err(damaged("a row has too many flags"));
        }
        row.push(text(word)?.to_owned());
    }
    Ok(())
}

fn finite(numbers: &[f64]) -> Result<()> {
    if numbers.iter().all(|number| number.is_finite()) {
        return Ok(());
    }
    Err(damaged("a figure is not finite"))
}

fn text(value: &ByteArray) -> Result<&str> {
    value.as_utf8().map_err(|error| damaged("a name is not UTF-8").caused_by(error))
}

pub(super) fn status(word: &str) -> Result<Status> {
    [Status::Good, Status::Moderate, Status::Poor]
        .into_iter()
        .find(|status| status.name() == word)
        .ok_or_else(|| damaged(format!("`{word}` is no status")))
}
