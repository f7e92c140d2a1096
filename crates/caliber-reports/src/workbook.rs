//! `results.xlsx`: a workbook whose sheet `Results` holds what the other formats hold.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use caliber_engine::results::Results;
use caliber_engine::{Code, Error, Result};
use rust_xlsxwriter::{
    ColNum, DocProperties, ExcelDateTime, Format, IgnoreError, RowNum, Workbook, Worksheet, XlsxError,
};

use crate::columns::{Cell, Cells, Column, columns, joined};
use crate::failure::unwritten;
use crate::neutralise::neutralise;

/// What a sheet holds below its header.
const SHEET_ROWS: usize = 1_048_575;
/// An upper bound of a cell's own markup in a sheet, its number included.
const CELL_BYTES: u64 = 80;

/// Writes `results.xlsx`. The rows go through a nameless temporary file in `scratch`, so that memory does not
/// grow with them. The same results give the same bytes.
///
/// # Errors
/// [`Code::TooLarge`] for more rows than a sheet holds or text longer than a cell holds (32,767 characters);
/// [`Code::Machine`] where the disk is full or unwritable.
pub fn write_results_xlsx(results: &Results, scratch: &Path, writer: impl Write + Send) -> Result<()> {
    let columns = columns(results);
    let room = fits_on_sheet(&columns, results.len())?;
    has_room(scratch, room)?;
    // The library panics where its temporary file cannot grow, as on a disk that fills up meanwhile.
    catch_unwind(AssertUnwindSafe(|| {
        let mut book = Book::new(scratch, room)?;
        book.add_results(&columns, results.len())?;
        book.workbook.save_to_writer(writer)
    }))
    .map_or_else(|_| Err(outgrown(scratch)), |written| written.map_err(failure))
}

/// The workbook, to which each kind of sheet is added in turn.
struct Book {
    workbook: Workbook,
    header: Format,
}

impl Book {
    fn new(scratch: &Path, bytes: u64) -> std::result::Result<Self, XlsxError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(scratch)?;
        // Sheets beyond 4 GB need the wider form, which not every reader knows.
        workbook.use_zip_large_file(bytes > u64::from(u32::MAX));
        workbook.set_zip_compression_level(COMPRESSION);
        // A clock would make each run's bytes differ.
        let made = ExcelDateTime::from_ymd(2000, 1, 1)?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
        Ok(Self { workbook, header: Format::new().set_bold() })
    }

    fn add_results(&mut self, columns: &[Column], rows: usize) -> std::result::Result<(), XlsxError> {
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name("Results")?;
        sheet.set_freeze_panes(1, 1)?;
        let (last_row, last_column) = (row_number(rows), column_number(columns.len().saturating_sub(1)));
        sheet.autofilter(0, 0, last_row, last_column)?;
        // App ids are text of digits on purpose.
        sheet.ignore_error_range(0, 0, last_row, 0, IgnoreError::NumberStoredAsText)?;
        for (position, column) in columns.iter().enumerate() {
            let position = column_number(position);
            sheet.set_column_width(position, width(column))?;
            sheet.write_string_with_format(0, position, neutralise(&column.name), &self.header)?;
        }
        for row in 0..rows {
            for (position, column) in columns.iter().enumerate() {
                write_cell(sheet, row_number(row + 1), column_number(position), column.cells.cell(row))?;
            }
        }
        Ok(())
    }
}

/// Deflate level: higher ones take longer for a few percent.
const COMPRESSION: u8 = 3;

fn write_cell(
    sheet: &mut Worksheet,
    row: RowNum,
    column: ColNum,
    cell: Cell,
) -> std::result::Result<(), XlsxError> {
    match cell {
        Cell::Number(number) => sheet.write_number(row, column, number)?,
        Cell::Text(text) => sheet.write_string(row, column, neutralise(text))?,
        Cell::Truth(truth) => sheet.write_boolean(row, column, truth)?,
        Cell::Flags([]) | Cell::Patterns([]) | Cell::Missing => return Ok(()),
        Cell::Patterns(patterns) => sheet.write_string(row, column, joined(patterns))?,
        Cell::Flags(flags) => sheet.write_string(row, column, neutralise(&flags.join(";")))?,
    };
    Ok(())
}

/// In characters: names and flags wide, figures as wide as their header with its filter button.
fn width(column: &Column) -> f64 {
    match column.cells {
        Cells::Names(_) => 36.0,
        Cells::Texts(_) => 60.0,
        Cells::Flags(_) | Cells::Words(_) | Cells::Patterns(_) => 28.0,
        _ => (column.name.chars().count() as f64 + 4.0).clamp(10.0, 44.0),
    }
}

// `fits_on_sheet` has refused what does not fit these types.
fn row_number(row: usize) -> RowNum {
    row as RowNum
}

fn column_number(column: usize) -> ColNum {
    column as ColNum
}

/// Refuses what no sheet can hold; else an upper bound of the sheet's bytes.
fn fits_on_sheet(columns: &[Column], rows: usize) -> Result<u64> {
    if rows > SHEET_ROWS || columns.len() > 16_384 {
        let size = format!("{rows} rows of {} columns are more than a sheet holds", columns.len());
        return Err(Error::new(Code::TooLarge, size).help("take csv, json or parquet instead of xlsx"));
    }
    let names = columns.iter().map(|column| match &column.cells {
        Cells::Names(names) | Cells::Texts(names) => names.iter().map(|name| name.len() as u64 * 6).sum(),
        Cells::Flags(flags) => flags.iter().flatten().map(|flag| flag.len() as u64 + 1).sum(),
        Cells::Words(words) => rows as u64 * words.iter().map(|word| word.len() as u64 + 1).sum::<u64>(),
        Cells::Patterns(patterns) => patterns.iter().flatten().count() as u64 * 12,
        _ => 0,
    });
    Ok(names.sum::<u64>() + (rows as u64 + 1) * columns.len() as u64 * CELL_BYTES)
}

/// Refuses a disk on which the temporary file would not fit.
#[cfg(unix)]
fn has_room(scratch: &Path, bytes: u64) -> Result<()> {
    let Ok(disk) = rustix::fs::statvfs(scratch) else { return Ok(()) };
    // File systems that keep no account say 0 of 0.
    if disk.f_blocks > 0 && disk.f_bavail.saturating_mul(disk.f_frsize) < bytes {
        return Err(unwritten(rustix::io::Errno::NOSPC.into()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn has_room(_: &Path, _: u64) -> Result<()> {
    Ok(())
}

fn outgrown(scratch: &Path) -> Error {
    let place = scratch.display();
    Error::new(Code::Machine, format!("cannot write the file: its temporary file in {place} could not grow"))
        .help("see whether the disk is full, or choose another folder with --out DIR")
}

fn failure(error: XlsxError) -> Error {
    match error {
        XlsxError::IoError(cause) | XlsxError::TempFileError(_, cause) => unwritten(cause),
        XlsxError::ZipError(cause) => unwritten(cause.into()),
        XlsxError::MaxStringLengthExceeded => {
            Error::new(Code::TooLarge, "a name is longer than the 32,767 characters that a cell holds")
                .help("take csv, json or parquet instead of xlsx")
        }
        other => unwritten(io::Error::other(other)),
    }
}
