//! Older kinds of workbook: XLS, and with it XLSB and ODS.
//!
//! calamine reads these whole, and a hostile file of a few kilobytes can make it reserve more memory than the
//! machine has, which aborts the process. So they are read in a process of their own under a memory limit:
//! [`to_csv`] is what that process runs, and a [`Sandbox`] is how the reading of reports gets at its CSV.

use std::fs::File;
use std::io::{BufReader, Read, Seek, Write};
use std::path::Path;

use calamine::{
    Data, ExcelDateTime, Ods, OdsError, Range, Reader, SheetType, SheetVisible, Xls, XlsError, Xlsb,
    XlsbError,
};

use super::calendar::day_of_serial;
use super::workbook::{self, WorkbookKind};
use crate::{Code, Error, Result};

/// Rows of a sheet that are shown when a sheet is to be chosen.
const PREVIEW_ROWS: usize = 50;

/// A sheet's name and its first rows.
pub type SheetPreview = (String, Vec<Vec<String>>);

/// A sheet read apart: CSV whose lines are the rows of the sheet, blank ones as empty lines.
pub struct SheetCsv {
    /// The sheet's name.
    pub sheet: String,
    /// The names of all sheets, in the order to prefer them.
    pub sheets: Vec<String>,
    /// UTF-8, commas, LF.
    pub csv: Box<dyn Read + Send>,
}

/// What was written of a workbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The name of the sheet.
    pub sheet: String,
    /// The names of all sheets, in the order to prefer them.
    pub sheets: Vec<String>,
}

/// Reads a workbook in a process of its own, given its path and the sheet wanted, if one was named.
pub type Sandbox<'a> = dyn Fn(&Path, Option<&str>) -> Result<SheetCsv> + Send + Sync + 'a;

/// Writes the sheet that `choose` picks as CSV, and returns which it was of which. Sheets are offered as they are to be
/// preferred: visible ones as their tabs stand, then hidden ones.
///
/// Numbers are written with the fewest digits that read back as the same number, days as ISO dates, booleans as
/// `TRUE` and `FALSE`, errors as their words. Line breaks within a cell become blanks, so that a line of the CSV
/// is a row of the sheet.
///
/// To be called only in a process that may die: see the module.
///
/// # Errors
/// [`Code::Encrypted`], [`Code::Malformed`], [`Code::WrongKind`], whatever `choose` returns, and
/// [`Code::Machine`] where `out` fails.
pub fn to_csv(
    file: &Path,
    choose: impl Fn(&[SheetPreview]) -> Result<usize>,
    out: impl Write,
) -> Result<Written> {
    let mut opened = File::open(file).map_err(unreadable)?;
    match workbook::kind(&mut opened)? {
        Some(WorkbookKind::Apart) => {}
        Some(WorkbookKind::Encrypted) => return Err(encrypted()),
        _ => return Err(Error::new(Code::WrongKind, "the file is no XLS, XLSB or ODS workbook")),
    }
    let mut magic = [0; 2];
    opened.read_exact(&mut magic).and_then(|()| opened.rewind()).map_err(unreadable)?;
    let reader = BufReader::new(opened);
    if &magic != b"PK" {
        let book = Xls::new(reader).map_err(|error| match error {
            XlsError::Password => encrypted(),
            error => damaged(error),
        })?;
        return write_chosen(book, &choose, out);
    }
    match Xlsb::new(reader) {
        Ok(book) => write_chosen(book, &choose, out),
        Err(XlsbError::Password) => Err(encrypted()),
        Err(XlsbError::FileNotFound(_)) => {
            let reader = BufReader::new(File::open(file).map_err(unreadable)?);
            let book = Ods::new(reader).map_err(|error| match error {
                OdsError::Password => encrypted(),
                error => damaged(error),
            })?;
            write_chosen(book, &choose, out)
        }
        Err(error) => Err(damaged(error)),
    }
}

/// The sheet of that name, for a `choose` that was told one.
pub fn named(sheets: &[SheetPreview], name: &str) -> Result<usize> {
    sheets.iter().position(|(sheet, _)| sheet == name).ok_or_else(|| {
        let names: Vec<&str> = sheets.iter().map(|(sheet, _)| sheet.as_str()).collect();
        Error::new(Code::NotFound, format!("the workbook has no sheet {name:?}"))
            .help(format!("Its sheets are: {}.", names.join(", ")))
    })
}

fn write_chosen<R, B>(
    mut book: B,
    choose: &dyn Fn(&[SheetPreview]) -> Result<usize>,
    out: impl Write,
) -> Result<Written>
where
    R: Read + Seek,
    B: Reader<R>,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let mut tabs: Vec<_> =
        book.sheets_metadata().iter().filter(|tab| tab.typ == SheetType::WorkSheet).cloned().collect();
    tabs.sort_by_key(|tab| tab.visible != SheetVisible::Visible);
    let mut sheets = Vec::new();
    for name in tabs.into_iter().map(|tab| tab.name) {
        let range = book.worksheet_range(&name).map_err(damaged)?;
        let rows = range.rows().take(PREVIEW_ROWS).map(|row| row.iter().map(shown).collect()).collect();
        sheets.push((name, rows));
    }
    if sheets.is_empty() {
        return Err(Error::new(Code::Malformed, "the workbook has no sheet of cells"));
    }
    let chosen = choose(&sheets)?;
    let Some((name, _)) = sheets.get(chosen) else {
        return Err(Error::new(Code::NotFound, format!("the workbook has no sheet {}", chosen + 1)));
    };
    let range = book.worksheet_range(name).map_err(damaged)?;
    write_rows(&range, out).map_err(|error| {
        Error::new(Code::Machine, format!("the sheet could not be handed over: {error}")).caused_by(error)
    })?;
    let sheet = name.clone();
    Ok(Written { sheet, sheets: sheets.into_iter().map(|(name, _)| name).collect() })
}

fn write_rows(range: &Range<Data>, mut out: impl Write) -> std::io::Result<()> {
    let (first_row, first_column) = range.start().unwrap_or((0, 0));
    for _ in 0..first_row {
        out.write_all(b"\n")?;
    }
    let mut line = Vec::new();
    for row in range.rows() {
        line.clear();
        if row.iter().any(|cell| *cell != Data::Empty) {
            let mut writer = csv::WriterBuilder::new().from_writer(&mut line);
            let before = (0..first_column).map(|_| String::new());
            writer.write_record(before.chain(row.iter().map(shown)))?;
            writer.flush()?;
        } else {
            line.push(b'\n');
        }
        out.write_all(&line)?;
    }
    out.flush()
}

/// A cell as text.
fn shown(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::Int(value) => value.to_string(),
        Data::Float(value) => shortest(*value),
        Data::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
        Data::String(text) => text.replace(['\r', '\n'], " "),
        Data::DateTime(moment) => shown_moment(moment),
        Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Error(word) => word.to_string(),
    }
}

fn shown_moment(moment: &ExcelDateTime) -> String {
    let serial = moment.as_f64();
    // Times of day and durations stay numbers; calamine gives every moment some date.
    if moment.is_duration() || day_of_serial(serial, false).is_none() {
        return shortest(serial);
    }
    let (year, month, day, ..) = moment.to_ymd_hms_milli();
    format!("{year:04}-{month:02}-{day:02}")
}

fn shortest(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-7..1e16).contains(&size) { format!("{value:e}") } else { value.to_string() }
}

fn encrypted() -> Error {
    Error::new(Code::Encrypted, "the workbook is protected by a password")
        .help("Remove the password in a spreadsheet program, or export the report as CSV.")
}

fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Malformed, format!("the workbook is damaged: {error}"))
        .help("Open and save it as XLSX in a spreadsheet program, or export the report as CSV.")
        .caused_by(error)
}

fn unreadable(error: std::io::Error) -> Error {
    Error::new(Code::NotReadable, format!("the workbook cannot be read: {error}")).caused_by(error)
}

#[cfg(test)]
mod tests;
