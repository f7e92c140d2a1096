//! `results.parquet`, which every later analysis reads.

use std::io::{self, Write};
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

use crate::columns::{Cells, Column, Table, count_columns};
use crate::failure::unwritten;
use crate::json::json_text;

/// Rows of a group, which are held until it is whole: about 20 MB of cells at 35 columns.
const GROUP: usize = 1 << 16;
/// The same where rows hold JSON text, of a kilobyte and more: about 10 MB, and as soon the first bytes leave.
const GROUP_OF_TEXT: usize = 1 << 13;
/// Rows of arrays that are built at once: their memory stays in the cache, and is used again.
const BATCH: usize = 1 << 12;

/// Writes `results.parquet`: the columns of the other formats, then `<metric>_events` and `<metric>_trials` of
/// each share. Figures are doubles, `percentile_rank` a 32-bit integer, flags lists of strings.
pub fn write_results_parquet(results: &Results, writer: impl Write + Send) -> Result<()> {
    let mut table = Table::of(results);
    table.columns.extend(count_columns(results));
    write_parquet(&table, writer)
}

pub(crate) fn write_parquet(table: &Table, writer: impl Write + Send) -> Result<()> {
    write_groups(table, writer).map_err(|error| unwritten(io_error(error)))
}

fn write_groups(table: &Table, writer: impl Write + Send) -> std::result::Result<(), ParquetError> {
    let (columns, rows) = (&table.columns, table.rows.len());
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let mut parquet = ArrowWriter::try_new(writer, Arc::clone(&schema), Some(properties(columns)))?;
    for start in (0..rows).step_by(BATCH) {
        let batch: Vec<usize> = (start..rows.min(start + BATCH)).map(|at| table.rows.at(at)).collect();
        let arrays = columns.iter().map(|column| array(&column.cells, &batch)).collect();
        parquet.write(&RecordBatch::try_new(Arc::clone(&schema), arrays)?)?;
    }
    parquet.close()?;
    Ok(())
}

fn group_rows(columns: &[Column]) -> usize {
    let has_text = columns.iter().any(|column| matches!(column.cells, Cells::OfMetrics(..)));
    if has_text { GROUP_OF_TEXT } else { GROUP }
}

fn properties(columns: &[Column]) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(group_rows(columns)));
    for column in columns {
        let path = match &column.cells {
            Cells::Statuses(_) | Cells::Decisions(_) | Cells::Constant(_) => {
                ColumnPath::from(column.name.as_ref())
            }
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
        Cells::Names(_)
        | Cells::Texts(_)
        | Cells::Statuses(_)
        | Cells::Decisions(_)
        | Cells::Constant(_)
        | Cells::OfMetrics(..) => (DataType::Utf8, false),
        Cells::Numbers(_) | Cells::MaybeNumbers(_) | Cells::Absent => (DataType::Float64, true),
        Cells::Ranks(_) => (DataType::Int32, false),
        Cells::Outliers(_) => (DataType::Boolean, false),
        Cells::Flags(_) | Cells::Words(_) | Cells::Patterns(_) => {
            (DataType::new_list(DataType::Utf8, true), false)
        }
    };
    Field::new(column.name.as_ref(), kind, nullable)
}

/// The cells of these rows.
fn array(cells: &Cells, rows: &[usize]) -> ArrayRef {
    let each = rows.iter().copied();
    match cells {
        Cells::Names(names) | Cells::Texts(names) => {
            Arc::new(StringArray::from_iter_values(each.map(|row| &names[row])))
        }
        Cells::Constant(text) => Arc::new(StringArray::from_iter_values(each.map(|_| text))),
        Cells::OfMetrics(..) => {
            Arc::new(StringArray::from_iter_values(each.map(|row| json_text(&cells.cell(row)))))
        }
        Cells::Decisions(decisions) => {
            Arc::new(StringArray::from_iter_values(each.map(|row| decisions[row].name())))
        }
        Cells::Statuses(statuses) => {
            Arc::new(StringArray::from_iter_values(each.map(|row| statuses[row].name())))
        }
        Cells::Numbers(_) | Cells::MaybeNumbers(_) | Cells::Absent => {
            let numbers = each.map(|row| cells.number(row));
            // Most columns miss nothing, and are made in a fraction of the time where that is known.
            match numbers.clone().collect::<Option<Vec<f64>>>() {
                Some(numbers) => Arc::new(Float64Array::from(numbers)),
                None => Arc::new(numbers.collect::<Float64Array>()),
            }
        }
        Cells::Ranks(results) => {
            Arc::new(Int32Array::from_iter_values(each.map(|row| i32::from(results.percentile_rank(row)))))
        }
        Cells::Outliers(results) => {
            Arc::new(each.map(|row| Some(results.is_outlier(row))).collect::<BooleanArray>())
        }
        Cells::Flags(flags) => words(each.map(|row| flags[row].iter().map(String::as_str))),
        Cells::Words(names) => words(each.map(|_| names.iter().map(String::as_str))),
        Cells::Patterns(patterns) => {
            words(each.map(|row| patterns[row].iter().map(|pattern| pattern.name())))
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
