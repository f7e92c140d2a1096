//! `results.csv`.

use std::io::{self, Write};

use caliber_engine::Result;
use caliber_engine::results::Results;
use csv::{ErrorKind, Writer, WriterBuilder};

use crate::columns::{Cell, Column, columns};
use crate::failure::unwritten;
use crate::neutralise::neutralise;
use crate::number_text::NumberText;

/// Writes `results.csv`: UTF-8, LF, a header, a missing value an empty cell, flags joined by `;`.
pub fn write_results_csv(results: &Results, writer: impl Write + Send) -> Result<()> {
    write_table(&columns(results), results.len(), writer).map_err(|error| unwritten(io_error(error)))
}

fn write_table(columns: &[Column], rows: usize, writer: impl Write) -> csv::Result<()> {
    let mut csv = delimited(writer);
    let mut text = NumberText::default();
    csv.write_record(columns.iter().map(|column| neutralise(&column.name).into_owned()))?;
    for row in 0..rows {
        for column in columns {
            match column.cells.cell(row) {
                Cell::Number(number) => csv.write_field(text.of(number))?,
                Cell::Text(words) => csv.write_field(neutralise(words).as_ref())?,
                Cell::Truth(truth) => csv.write_field(if truth { "true" } else { "false" })?,
                Cell::Flags([]) | Cell::Missing => csv.write_field("")?,
                Cell::Flags(flags) => csv.write_field(neutralise(&flags.join(";")).as_ref())?,
            }
        }
        csv.write_record(None::<&[u8]>)?;
    }
    csv.flush()?;
    Ok(())
}

/// The one dialect of all our CSV files.
pub(crate) fn delimited<W: Write>(writer: W) -> Writer<W> {
    WriterBuilder::new().buffer_capacity(1 << 16).from_writer(writer)
}

/// The system's error within; the others cannot arise from rows of one length.
pub(crate) fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
