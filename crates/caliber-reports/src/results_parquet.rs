//! `results.parquet`, which every later analysis reads.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use caliber_engine::Result;
use caliber_engine::results::Results;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::columns::{Cells, Column, columns, count_columns};
use crate::failure::unwritten;

/// Rows built and held at once: about 20 MB of cells at 35 columns.
const GROUP: usize = 1 << 16;

/// Writes `results.parquet`: the columns of the other formats, then `<metric>_events` and `<metric>_trials` of
/// each share. Figures are doubles, `percentile_rank` a 32-bit integer, flags lists of strings.
pub fn write_results_parquet(results: &Results, writer: impl Write + Send) -> Result<()> {
    let mut columns = columns(results);
    columns.extend(count_columns(results));
    write_groups(&columns, results.len(), writer).map_err(|error| unwritten(io_error(error)))
}

fn write_groups(
    columns: &[Column],
    rows: usize,
    writer: impl Write + Send,
) -> std::result::Result<(), ParquetError> {
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let mut parquet = ArrowWriter::try_new(writer, Arc::clone(&schema), Some(properties(columns)))?;
    for start in (0..rows).step_by(GROUP) {
        let range = start..rows.min(start + GROUP);
        let arrays = columns.iter().map(|column| array(&column.cells, range.clone())).collect();
        parquet.write(&RecordBatch::try_new(Arc::clone(&schema), arrays)?)?;
    }
    parquet.close()?;
    Ok(())
}

fn properties(columns: &[Column]) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(GROUP));
    for column in columns {
        let path = match &column.cells {
            Cells::Statuses(_) | Cells::Decisions(_) => ColumnPath::from(column.name.as_ref()),
            Cells::Flags(_) | Cells::Words(_) | Cells::Patterns(_) => {
                ColumnPath::new(vec![column.name.to_string(), "list".into(), "item".into()])
            }
            _ => continue,
        };
        properties = properties.set_column_dictionary_enabled(path, true);
    }
    properties.build()
}

fn field(column: &Column) -> Field {
    let (kind, nullable) = match &column.cells {
        Cells::Names(_) | Cells::Texts(_) | Cells::Statuses(_) | Cells::Decisions(_) => {
            (DataType::Utf8, false)
        }
        Cells::Numbers(_) | Cells::MaybeNumbers(_) | Cells::Absent => (DataType::Float64, true),
        Cells::Ranks(_) => (DataType::Int32, false),
        Cells::Outliers(_) => (DataType::Boolean, false),
        Cells::Flags(_) | Cells::Words(_) | Cells::Patterns(_) => {
            (DataType::new_list(DataType::Utf8, true), false)
        }
    };
    Field::new(column.name.as_ref(), kind, nullable)
}

fn array(cells: &Cells, rows: Range<usize>) -> ArrayRef {
    match cells {
        Cells::Names(names) | Cells::Texts(names) => Arc::new(StringArray::from_iter_values(&names[rows])),
        Cells::Decisions(decisions) => {
            Arc::new(StringArray::from_iter_values(decisions[rows].iter().map(|decision| decision.name())))
        }
        Cells::Statuses(statuses) => {
            Arc::new(StringArray::from_iter_values(statuses[rows].iter().map(|status| status.name())))
        }
        Cells::Numbers(numbers) if numbers[rows.clone()].iter().all(|number| number.is_finite()) => {
            Arc::new(Float64Array::from(numbers[rows].to_vec()))
        }
        Cells::Numbers(_) | Cells::MaybeNumbers(_) | Cells::Absent => {
            Arc::new(rows.map(|row| cells.number(row)).collect::<Float64Array>())
        }
        Cells::Ranks(results) => {
            Arc::new(Int32Array::from_iter_values(rows.map(|row| i32::from(results.percentile_rank(row)))))
        }
        Cells::Outliers(results) => {
            Arc::new(rows.map(|row| Some(results.is_outlier(row))).collect::<BooleanArray>())
        }
        Cells::Flags(flags) => words(flags[rows].iter().map(|names| names.iter().map(String::as_str))),
        Cells::Words(names) => words(rows.map(|_| names.iter().map(String::as_str))),
        Cells::Patterns(patterns) => {
            words(patterns[rows].iter().map(|patterns| patterns.iter().map(|pattern| pattern.name())))
        }
    }
}

/// A list of words for each row.
fn words<'a>(rows: impl Iterator<Item = impl Iterator<Item = &'a str>>) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for names in rows {
        lists.append_value(names.map(Some));
    }
    Arc::new(lists.finish())
}

/// The system's error within, as far as there is one.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(cause) => *cause,
            Err(cause) => match cause.downcast::<ArrowError>() {
                Ok(cause) => match *cause {
                    ArrowError::IoError(_, cause) => cause,
                    other => io::Error::other(other),
                },
                Err(cause) => io::Error::other(cause),
            },
        },
        other => io::Error::other(other),
    }
}
