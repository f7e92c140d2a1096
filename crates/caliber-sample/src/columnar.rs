//! Parquet: typed columns, written a row group at a time.

use std::io::Write;
use std::sync::Arc;

use arrow_array::builder::{Date32Builder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::cell::{Cell, FIRST_DAY};
use crate::layout::Kind;
use crate::report::{Report, Sink, Watch};
use crate::{SampleError, Summary};

/// Rows held in memory before they are written.
const ROWS_PER_GROUP: usize = 65_536;

/// Writes the report as Parquet.
pub(crate) fn write(
    report: &Report,
    out: impl Write + Send,
    watch: Watch<'_>,
) -> Result<Summary, SampleError> {
    let fields = report.cells.columns.iter().map(|column| {
        let kind = match column.fill.kind() {
            Kind::Date => DataType::Date32,
            Kind::Text => DataType::Utf8,
            Kind::Count => DataType::Int64,
            Kind::Number => DataType::Float64,
        };
        Field::new(&column.header, kind, true)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .build();
    let columns = report.cells.columns.iter().map(|column| Builder::new(column.fill.kind())).collect();
    let writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties))?;
    let mut groups = Groups { writer, schema, columns, rows: 0 };
    let summary = report.write(&mut groups, watch)?;
    groups.flush()?;
    // Dropped, a buffered writer would keep a full disk to itself.
    groups.writer.into_inner()?.flush()?;
    Ok(summary)
}

enum Builder {
    Date(Date32Builder),
    Text(StringBuilder),
    Count(Int64Builder),
    Number(Float64Builder),
}

impl Builder {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Date => Self::Date(Date32Builder::new()),
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Count => Self::Count(Int64Builder::new()),
            Kind::Number => Self::Number(Float64Builder::new()),
        }
    }

    /// Appends a cell; one of another type has no place here and is null.
    fn append(&mut self, cell: &Cell<'_>) {
        match (self, cell) {
            (Self::Date(days), cell) => days.append_option(match cell {
                Cell::Date(day) => Some(FIRST_DAY + i32::from(*day)),
                _ => None,
            }),
            (Self::Text(texts), Cell::Text(text) | Cell::Verbatim(text)) => texts.append_value(text),
            (Self::Text(texts), _) => texts.append_null(),
            (Self::Count(counts), cell) => counts.append_option(match cell {
                Cell::Count(count) => Some(*count),
                _ => None,
            }),
            (Self::Number(numbers), cell) => numbers.append_option(match cell {
                Cell::Rate(units) => Some(*units as f64 / 1e6),
                Cell::Money { units, places: 4 } => Some(*units as f64 / 1e4),
                Cell::Money { units, .. } | Cell::Decimal { units, .. } => Some(*units as f64 / 1e2),
                _ => None,
            }),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Date(days) => Arc::new(days.finish()),
            Self::Text(texts) => Arc::new(texts.finish()),
            Self::Count(counts) => Arc::new(counts.finish()),
            Self::Number(numbers) => Arc::new(numbers.finish()),
        }
    }
}

struct Groups<W: Write + Send> {
    writer: ArrowWriter<W>,
    schema: Arc<Schema>,
    columns: Vec<Builder>,
    rows: usize,
}

impl<W: Write + Send> Groups<W> {
    fn flush(&mut self) -> Result<(), SampleError> {
        let columns = self.columns.iter_mut().map(Builder::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(ParquetError::from)?;
        self.writer.write(&batch)?;
        self.rows = 0;
        Ok(())
    }
}

impl<W: Write + Send> Sink for Groups<W> {
    // Kinds of mess that add lines of words do not fit Parquet.
    fn words(&mut self, _: &[&str]) -> Result<(), SampleError> {
        Ok(())
    }

    fn header(&mut self, _: &[&str]) -> Result<(), SampleError> {
        Ok(())
    }

    fn cells(&mut self, cells: &[Cell<'_>]) -> Result<(), SampleError> {
        for (at, column) in self.columns.iter_mut().enumerate() {
            column.append(cells.get(at).unwrap_or(&Cell::Blank));
        }
        self.rows += 1;
        if self.rows == ROWS_PER_GROUP { self.flush() } else { Ok(()) }
    }
}
