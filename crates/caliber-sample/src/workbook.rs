//! Workbooks: numbers as numbers, dates as dates, a row at a time.

use std::io::{Seek, Write};

use rust_xlsxwriter::{ColNum, DocProperties, ExcelDateTime, Format as Look, RowNum, Workbook, Worksheet};

use crate::cell::{Cell, MONTH, Style, YEAR};
use crate::layout::RateStyle;
use crate::report::{Report, Sink, Watch};
use crate::{Mess, SampleError, Summary};

/// Writes the report as a workbook.
pub(crate) fn write(
    report: &Report,
    out: impl Write + Seek + Send,
    watch: Watch<'_>,
) -> Result<Summary, SampleError> {
    if report.world.rows >= u64::from(SHEET_ROWS) {
        return Err(SampleError::SheetFull);
    }
    let mut workbook = Workbook::new();
    // The time of writing would make every file another.
    let made = ExcelDateTime::from_ymd(YEAR, MONTH + 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
    if report.kinds.has(Mess::MetadataSheet) {
        let sheet = workbook.add_worksheet().set_name("Report Info")?;
        for (row, (name, value)) in (0..).zip(METADATA) {
            sheet.write_string(row, 0, name)?.write_string(row, 1, value)?;
        }
    }
    let sheet = workbook.add_worksheet_with_constant_memory()?.set_name("Site Report_data")?;
    let style = report.style();
    let mut rows = Sheet { cells: sheet, style, date: Look::new().set_num_format("yyyy-mm-dd"), row: 0 };
    let summary = report.write(&mut rows, watch)?;
    workbook.save_to_writer(out)?;
    Ok(summary)
}

/// The rows that a sheet holds.
const SHEET_ROWS: RowNum = 1_048_576;

/// The sheet that some exports put first. Its dimension is not the one of the data.
const METADATA: [(&str, &str); 6] = [
    ("Report", "Site Performance, all vendors"),
    ("Dimension", "A1:C4"),
    ("Date Range", "2025-09-01 - 2025-09-30"),
    ("Advertiser", "Globex, Inc."),
    ("Dimensions", "Publisher Name"),
    ("Time Zone", "UTC"),
];

struct Sheet<'w> {
    cells: &'w mut Worksheet,
    style: Style,
    date: Look,
    row: RowNum,
}

impl Sheet<'_> {
    fn end_row(&mut self) -> Result<(), SampleError> {
        self.row += 1;
        if self.row >= SHEET_ROWS { Err(SampleError::SheetFull) } else { Ok(()) }
    }

    /// A decimal that the style writes as text, or as the number it is.
    fn number(&mut self, column: ColNum, cell: &Cell<'_>, units: i64, places: u8) -> Result<(), SampleError> {
        if self.style.is_plain(cell) {
            let places = places
                - 2 * u8::from(matches!(cell, Cell::Rate(_)) && self.style.rates != RateStyle::Fraction);
            self.cells.write_number(self.row, column, units as f64 / POWERS[usize::from(places)])?;
            return Ok(());
        }
        self.text(column, cell)
    }

    fn text(&mut self, column: ColNum, cell: &Cell<'_>) -> Result<(), SampleError> {
        let mut text = Vec::new();
        self.style.write(cell, &mut text);
        self.cells.write_string(self.row, column, String::from_utf8_lossy(&text).into_owned())?;
        Ok(())
    }
}

/// Powers of ten, by decimal places; cells have at most six.
const POWERS: [f64; 7] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];

impl Sink for Sheet<'_> {
    fn words(&mut self, words: &[&str]) -> Result<(), SampleError> {
        for (column, word) in (0..).zip(words) {
            self.cells.write_string(self.row, column, *word)?;
        }
        self.end_row()
    }

    fn header(&mut self, headers: &[&str]) -> Result<(), SampleError> {
        self.words(headers)
    }

    fn cells(&mut self, cells: &[Cell<'_>]) -> Result<(), SampleError> {
        for (column, cell) in (0..).zip(cells) {
            match cell {
                Cell::Blank => {}
                Cell::Text(text) | Cell::Verbatim(text) => {
                    self.cells.write_string(self.row, column, text.as_ref())?;
                }
                Cell::Date(day) => {
                    let date = ExcelDateTime::from_ymd(YEAR, MONTH, day + 1)?;
                    self.cells.write_datetime_with_format(self.row, column, &date, &self.date)?;
                }
                Cell::Count(count) => self.number(column, cell, *count, 0)?,
                Cell::Rate(units) => self.number(column, cell, *units, 6)?,
                Cell::Money { units, places } | Cell::Decimal { units, places } => {
                    self.number(column, cell, *units, *places)?;
                }
            }
        }
        self.end_row()
    }
}
